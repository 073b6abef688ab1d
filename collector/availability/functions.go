package availability

import "math/big"

// Function is a vital business function of a service.
type Function struct {
	Name   string
	Weight *big.Rat // above 0; nil: 1
	Users  int64    // who use it; 0: those of the service
	Needs  *Need    // what it stands on; nil: what the service does
}

// weight is the function's weight, 1 by default.
func (f *Function) weight() *big.Rat {
	if f.Weight == nil {
		return big.NewRat(1, 1)
	}
	return f.Weight
}

// function is the function of that name.
func (s *Service) function(name string) (*Function, bool) {
	for i := range s.Functions {
		if s.Functions[i].Name == name {
			return &s.Functions[i], true
		}
	}
	return nil, false
}

// Names lists the names in the service's tree and in those of its functions,
// in written order, doubles included.
func (s *Service) Names() []string {
	names := s.Needs.Names()
	for i := range s.Functions {
		if needs := s.Functions[i].Needs; needs != nil {
			names = append(names, needs.Names()...)
		}
	}
	return names
}

// FunctionFigures is what one function of a service was in the period, under
// the agreement of the service. Times are in s.
type FunctionFigures struct {
	Name           string   `json:"name"`
	Weight         float64  `json:"weight"`
	Users          *int64   `json:"users"` // null: not known
	AgreedS        float64  `json:"agreed_s"`
	UpS            float64  `json:"up_s"`
	DegradedS      float64  `json:"degraded_s"`
	DownS          float64  `json:"down_s"`
	UnknownS       float64  `json:"unknown_s"`
	Availability   *float64 `json:"availability"`
	Coverage       *float64 `json:"coverage"`
	OutagesStarted int64    `json:"outages_started"`
	LostUserS      *float64 `json:"lost_user_s"` // users x D
	Outages        []Outage `json:"outages"`
}

// ExactFunction are the exact values of a function: its weight, and times in s.
type ExactFunction struct {
	Weight, Up, Down, Availability *big.Rat
}

// Pool is availability over several services or functions: their seconds are
// added, each by its weight, and divided once. Averages are never averaged.
type Pool struct {
	Parts           int    // how many were added
	up, known, lost number // weighted seconds of U, K and D
}

// Add adds U and D, in s, so many times.
func (p *Pool) Add(weight, up, down *big.Rat) {
	if p.Parts == 0 {
		p.up, p.known, p.lost = whole(0), whole(0), whole(0)
	}
	w, u, d := numberOf(weight), numberOf(up), numberOf(down)
	p.up = p.up.plus(w.times(u))
	p.known = p.known.plus(w.times(u.plus(d)))
	p.lost = p.lost.plus(w.times(d))
	p.Parts++
}

// AddUsers adds the service as its users had it; without users it adds nothing.
func (p *Pool) AddUsers(f *Figures) {
	if f.Users != nil && f.Exact.Up != nil {
		p.Add(whole(*f.Users).rat(), f.Exact.Up, f.Exact.Down)
	}
}

// Availability is what was added, nil where that is nothing.
func (p *Pool) Availability() *big.Rat { return p.up.over(p.known).rat() }

// Lost are the weighted seconds of D; nil: nothing was added.
func (p *Pool) Lost() *big.Rat { return p.lost.rat() }

// functions works out the functions of the service. One with a tree of its own
// is evaluated as the service is, with that tree in place of the service's; one
// without is what the service is.
func (e *evaluation) functions(v *view, p period, all *Figures) error {
	all.Functions = []FunctionFigures{}
	var weighted, used Pool
	for i := range v.service.Functions {
		fn, own := &v.service.Functions[i], all
		if fn.Needs != nil {
			fv, err := e.viewOf(v.agreement, fn.Name)
			if err != nil {
				return err
			}
			f, err := e.figures(fv, p)
			if err != nil {
				return err
			}
			own = &f
		}
		out := FunctionFigures{Name: fn.Name, Weight: *numberOf(fn.weight()).float(), AgreedS: own.AgreedS, UpS: own.UpS, DegradedS: own.DegradedS,
			DownS: own.DownS, UnknownS: own.UnknownS, Availability: own.Availability, Coverage: own.Coverage, OutagesStarted: own.OutagesStarted,
			Outages: append([]Outage{}, own.Outages...)}
		x := ExactFunction{fn.weight(), own.Exact.Up, own.Exact.Down, own.Exact.Availability}
		weighted.Add(x.Weight, x.Up, x.Down)
		users := fn.Users
		if users == 0 {
			users = v.service.Users
		}
		if users > 0 {
			used.Add(whole(users).rat(), x.Up, x.Down)
			out.Users, out.LostUserS = &users, lost(users, numberOf(x.Down))
		}
		lose(out.Outages, out.Users)
		all.Functions = append(all.Functions, out)
		all.Exact.Functions = append(all.Exact.Functions, x)
	}
	if users := v.service.Users; users > 0 {
		all.Users = &users
		all.LostUserS = lost(users, numberOf(all.Exact.Down))
		if len(v.service.Functions) == 0 {
			used.AddUsers(all)
		}
	}
	x := &all.Exact
	x.ByFunctions, x.ByUsers = weighted.Availability(), used.Availability()
	all.AvailabilityByFunctions, all.AvailabilityByUsers = numberOf(x.ByFunctions).float(), numberOf(x.ByUsers).float()
	lose(all.Outages, all.Users)
	all.hit()
	return nil
}

// lose works out the users' seconds that each outage took in the period.
func lose(outages []Outage, users *int64) {
	for i := range outages {
		o := &outages[i]
		o.LostUserS, o.Functions = nil, []string{}
		if users != nil {
			o.LostUserS = lost(*users, whole(o.down).seconds())
		}
	}
}

// lost is the users' time of so much downtime.
func lost(users int64, down number) *float64 { return whole(users).times(down).float() }

// hit names, for each outage of the service, the functions that had an outage
// at some instant of it.
func (f *Figures) hit() {
	for i := range f.Outages {
		o := &f.Outages[i]
		for k := range f.Functions {
			fn := &f.Functions[k]
			for j := range fn.Outages {
				if fn.Outages[j].meets(o) {
					o.Functions = append(o.Functions, fn.Name)
					break
				}
			}
		}
	}
}

// meets tells whether the outages have an instant in common.
func (o *Outage) meets(other *Outage) bool {
	before := func(a, b *Outage) bool { return a.To != nil && a.To.MS <= b.From.MS }
	return !before(o, other) && !before(other, o)
}
