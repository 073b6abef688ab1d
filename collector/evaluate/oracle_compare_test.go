package evaluate_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"
)

// answer is the JSON of evaluate, decoded strictly: a key too many or a
// value of the wrong kind is a fault.
type answer struct {
	Services []answered `json:"services"`
}

type number = *json.Number

type answered struct {
	Service       string `json:"service"`
	Customer      string `json:"customer"`
	Agreement     string `json:"agreement"`
	Version       int    `json:"version"`
	From          string `json:"from"`
	To            string `json:"to"`
	AsOf          string `json:"as_of"`
	Agreed        number `json:"agreed_s"`
	AgreedPeriod  number `json:"agreed_period_s"`
	Cut           cuts   `json:"cut"`
	Up            number `json:"up_s"`
	Degraded      number `json:"degraded_s"`
	Down          number `json:"down_s"`
	Unknown       number `json:"unknown_s"`
	Availability  number `json:"availability"`
	Low           number `json:"availability_low"`
	High          number `json:"availability_high"`
	Without       number `json:"availability_without_exclusions"`
	Coverage      number `json:"coverage"`
	Started       int    `json:"outages_started"`
	Restored      int    `json:"outages_restored"`
	MTTR          number `json:"mttr_s"`
	Median        number `json:"mttr_median_s"`
	P90           number `json:"mttr_p90_s"`
	MTBF          number `json:"mtbf_s"`
	MTBFLower     number `json:"mtbf_lower_s"`
	MTBFUpper     number `json:"mtbf_upper_s"`
	MTBSI         number `json:"mtbsi_s"`
	DownPerOutage number `json:"down_per_outage_s"`
	Longest       number `json:"longest_s"`
	Budget        number `json:"budget_s"`
	BudgetElapsed number `json:"budget_elapsed_s"`
	Burn          number `json:"burn_rate"`
	Users         number `json:"users"`
	ByFunctions   number `json:"availability_by_functions"`
	ByUsers       number `json:"availability_by_users"`
	LostUser      number `json:"lost_user_s"`
	Functions     []struct {
		Name         string           `json:"name"`
		Weight       number           `json:"weight"`
		Users        number           `json:"users"`
		Agreed       number           `json:"agreed_s"`
		Up           number           `json:"up_s"`
		Degraded     number           `json:"degraded_s"`
		Down         number           `json:"down_s"`
		Unknown      number           `json:"unknown_s"`
		Availability number           `json:"availability"`
		Coverage     number           `json:"coverage"`
		Started      int              `json:"outages_started"`
		LostUser     number           `json:"lost_user_s"`
		Outages      []answeredOutage `json:"outages"`
	} `json:"functions"`
	Outages    []answeredOutage `json:"outages"`
	Indicators []struct {
		Name         string `json:"name"`
		Target       number `json:"target"`
		Unacceptable number `json:"unacceptable"`
		Actual       number `json:"actual"`
		State        string `json:"state"`
	} `json:"indicators"`
}

type answeredOutage struct {
	From       string   `json:"from"`
	To         *string  `json:"to"`
	Earliest   *string  `json:"earliest"`
	Agreed     number   `json:"agreed_s"`
	Down       number   `json:"down_s"`
	Ongoing    bool     `json:"ongoing"`
	Bridged    bool     `json:"bridged"`
	Components []string `json:"components"`
	Functions  []string `json:"functions"`
	LostUser   number   `json:"lost_user_s"`
}

type cuts struct {
	Calendar  number `json:"calendar_s"`
	Existence number `json:"existence_s"`
	Planned   number `json:"planned_s"`
	Adjusted  number `json:"adjusted_s"`
}

func decode(data []byte) (*answer, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var a answer
	if err := d.Decode(&a); err != nil {
		return nil, fmt.Errorf("decode the answer: %w", err)
	}
	return &a, missingKeys(data)
}

// missingKeys tells which keys of the contract an entry lacks: null is a
// value, absence is not.
func missingKeys(data []byte) error {
	var loose struct {
		Services []map[string]json.RawMessage `json:"services"`
	}
	if err := json.Unmarshal(data, &loose); err != nil {
		return err
	}
	want, err := json.Marshal(answered{})
	if err != nil {
		return err
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(want, &keys); err != nil {
		return err
	}
	for _, entry := range loose.Services {
		for key := range keys {
			if entry[key] == nil {
				return fmt.Errorf("key %q is missing", key)
			}
		}
		for _, key := range []string{"outages", "indicators", "functions"} {
			if string(entry[key]) == "null" {
				return fmt.Errorf("key %q is null, not a list", key)
			}
		}
	}
	return nil
}

// comparison collects the differences of one entry.
type comparison struct {
	zone  *zone
	entry string
	lines []string
}

func (c *comparison) differ(field string, got, want any) {
	c.lines = append(c.lines, fmt.Sprintf("%s %s: got %v, want %v", c.entry, field, got, want))
}

func same[T comparable](c *comparison, field string, got, want T) {
	if got != want {
		c.differ(field, got, want)
	}
}

func show(n number) string {
	if n == nil {
		return "null"
	}
	return n.String()
}

// millis compares exactly: seconds in the answer, milliseconds wanted.
func (c *comparison) millis(field string, got number, want int64) {
	c.exact(field, got, big.NewRat(want, 1000))
}

func (c *comparison) exact(field string, got number, want *big.Rat) {
	if got == nil {
		c.differ(field, "null", want.FloatString(6))
		return
	}
	if r, ok := new(big.Rat).SetString(got.String()); !ok || r.Cmp(want) != 0 {
		c.differ(field, show(got), want.FloatString(6))
	}
}

// ratio compares to 1e-12 of the larger of 1 and the value; nil is null.
func (c *comparison) ratio(field string, got number, want *big.Rat) {
	if got == nil || want == nil {
		if got != nil || want != nil {
			text := "null"
			if want != nil {
				text = want.FloatString(15)
			}
			c.differ(field, show(got), text)
		}
		return
	}
	r, ok := new(big.Rat).SetString(got.String())
	limit := new(big.Rat).Abs(want)
	if limit.Cmp(big.NewRat(1, 1)) < 0 {
		limit.SetInt64(1)
	}
	limit.Mul(limit, big.NewRat(1, 1e12))
	if !ok || new(big.Rat).Abs(minus(r, want)).Cmp(limit) > 0 {
		c.differ(field, show(got), want.FloatString(15))
	}
}

// quantile compares what depends on a quantile: to 1e-9.
func (c *comparison) quantile(field string, got number, ms *float64) {
	if got == nil || ms == nil {
		if got != nil || ms != nil {
			c.differ(field, show(got), ms)
		}
		return
	}
	value, err := got.Float64()
	want := *ms / 1000
	if off := value - want; err != nil || off > 1e-9*max(1, want) || off < -1e-9*max(1, want) {
		c.differ(field, show(got), want)
	}
}

// instant compares an instant and the way it is written: in the agreement's
// zone, with milliseconds only when there are any.
func (c *comparison) instant(field string, got *string, want int64) {
	if want == none {
		if got != nil {
			c.differ(field, *got, "null")
		}
		return
	}
	text := c.zone.local(want).Format(time.RFC3339)
	if want%1000 != 0 {
		text = c.zone.local(want).Format("2006-01-02T15:04:05.000Z07:00")
	}
	if got == nil {
		c.differ(field, "null", text)
		return
	}
	t, err := time.Parse(time.RFC3339, *got)
	_, offset := t.Zone()
	_, local := c.zone.local(want).Zone()
	if err != nil || t.UnixNano() != want*1e6 || offset != local || strings.Contains(*got, ".") != (want%1000 != 0) {
		c.differ(field, *got, text)
	}
}

// differences lists every field of the answer that is not as wanted.
func (p *problem) differences(got *answer, want []figures, zs zones) []string {
	if len(got.Services) != len(want) {
		return []string{fmt.Sprintf("got %d entries, want %d", len(got.Services), len(want))}
	}
	var lines []string
	for i, w := range want {
		c := &comparison{zone: zs.load(w.a.zone), entry: fmt.Sprintf("%s/%d", w.a.number, w.a.version)}
		c.entryFields(got.Services[i], w, p.asOf)
		c.outages("", got.Services[i].Outages, w.outages)
		c.functions(got.Services[i], w)
		c.indicators(got.Services[i], w)
		lines = append(lines, c.lines...)
	}
	return lines
}

func (c *comparison) entryFields(g answered, w figures, asOf int64) {
	same(c, "service", g.Service, w.a.service)
	same(c, "customer", g.Customer, w.customer)
	same(c, "agreement", g.Agreement, w.a.number)
	same(c, "version", g.Version, w.a.version)
	c.instant("from", &g.From, w.from)
	c.instant("to", &g.To, w.to)
	c.instant("as_of", &g.AsOf, asOf)
	c.millis("agreed_s", g.Agreed, w.agreed)
	c.millis("agreed_period_s", g.AgreedPeriod, w.agreedPeriod)
	c.millis("cut.calendar_s", g.Cut.Calendar, w.calendar)
	c.millis("cut.existence_s", g.Cut.Existence, w.existence)
	c.millis("cut.planned_s", g.Cut.Planned, w.planned)
	c.millis("cut.adjusted_s", g.Cut.Adjusted, w.adjusted)
	c.millis("up_s", g.Up, w.up)
	c.millis("degraded_s", g.Degraded, w.degraded)
	c.millis("down_s", g.Down, w.down)
	c.millis("unknown_s", g.Unknown, w.unknown)
	c.ratio("availability", g.Availability, w.availability)
	c.ratio("availability_low", g.Low, w.low)
	c.ratio("availability_high", g.High, w.high)
	c.ratio("availability_without_exclusions", g.Without, w.without)
	c.ratio("coverage", g.Coverage, w.coverage)
	same(c, "outages_started", g.Started, w.started)
	same(c, "outages_restored", g.Restored, w.restored)
	c.ratio("mttr_s", g.MTTR, seconds(w.mttr))
	c.ratio("mttr_median_s", g.Median, seconds(w.median))
	c.ratio("mttr_p90_s", g.P90, seconds(w.p90))
	c.ratio("mtbf_s", g.MTBF, seconds(w.mtbf))
	c.quantile("mtbf_lower_s", g.MTBFLower, w.mtbfLower)
	c.quantile("mtbf_upper_s", g.MTBFUpper, w.mtbfUpper)
	c.ratio("mtbsi_s", g.MTBSI, seconds(w.mtbsi))
	c.ratio("down_per_outage_s", g.DownPerOutage, seconds(w.downPerOutage))
	c.ratio("longest_s", g.Longest, seconds(w.longest))
	c.ratio("budget_s", g.Budget, seconds(w.budget))
	c.ratio("budget_elapsed_s", g.BudgetElapsed, seconds(w.budgetElapsed))
	c.ratio("burn_rate", g.Burn, w.burn)
}

func (c *comparison) outages(of string, got []answeredOutage, want []listed) {
	if len(got) != len(want) {
		c.differ(of+"outages", fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want))
		return
	}
	for i, o := range want {
		field := func(name string) string { return fmt.Sprintf("%soutages[%d].%s", of, i, name) }
		l := got[i]
		c.instant(field("from"), &l.From, o.from)
		c.instant(field("to"), l.To, o.to)
		c.instant(field("earliest"), l.Earliest, o.earliest)
		c.millis(field("agreed_s"), l.Agreed, o.agreed)
		c.millis(field("down_s"), l.Down, o.down)
		same(c, field("ongoing"), l.Ongoing, o.ongoing)
		same(c, field("bridged"), l.Bridged, o.bridged)
		if !slices.Equal(l.Components, o.components) {
			c.differ(field("components"), l.Components, o.components)
		}
		if !slices.Equal(l.Functions, o.functions) {
			c.differ(field("functions"), l.Functions, o.functions)
		}
		c.ratio(field("lost_user_s"), l.LostUser, seconds(o.lost))
	}
}

func (c *comparison) functions(g answered, w figures) {
	c.ratio("users", g.Users, users(w.users))
	c.ratio("availability_by_functions", g.ByFunctions, w.byFunctions)
	c.ratio("availability_by_users", g.ByUsers, w.byUsers)
	c.ratio("lost_user_s", g.LostUser, seconds(w.lost))
	if len(g.Functions) != len(w.functions) {
		c.differ("functions", len(g.Functions), len(w.functions))
		return
	}
	for i, f := range w.functions {
		field := func(name string) string { return fmt.Sprintf("functions[%d:%s].%s", i, f.name, name) }
		l := g.Functions[i]
		same(c, field("name"), l.Name, f.name)
		c.ratio(field("weight"), l.Weight, f.weight)
		c.ratio(field("users"), l.Users, users(f.users))
		c.millis(field("agreed_s"), l.Agreed, f.agreed)
		c.millis(field("up_s"), l.Up, f.up)
		c.millis(field("degraded_s"), l.Degraded, f.degraded)
		c.millis(field("down_s"), l.Down, f.down)
		c.millis(field("unknown_s"), l.Unknown, f.unknown)
		c.ratio(field("availability"), l.Availability, f.availability)
		c.ratio(field("coverage"), l.Coverage, f.coverage)
		same(c, field("outages_started"), l.Started, f.started)
		c.ratio(field("lost_user_s"), l.LostUser, seconds(f.lost))
		c.outages(field(""), l.Outages, f.outages)
	}
}

func (c *comparison) indicators(g answered, w figures) {
	if len(g.Indicators) != len(w.indicators) {
		c.differ("indicators", len(g.Indicators), len(w.indicators))
		return
	}
	for i, ind := range w.indicators {
		field := func(name string) string { return fmt.Sprintf("indicators[%d:%s].%s", i, ind.name, name) }
		l := g.Indicators[i]
		kind := orElse(ind.kind, ind.name)
		limit := func(text string) *big.Rat {
			if _, _, known := w.actual(kind); text == "" || !known {
				return nil
			}
			return limitOf(kind, text)
		}
		same(c, field("name"), l.Name, ind.name)
		same(c, field("state"), l.State, ind.state)
		c.ratio(field("target"), l.Target, limit(ind.target))
		c.ratio(field("unacceptable"), l.Unacceptable, limit(ind.unacceptable))
		c.ratio(field("actual"), l.Actual, ind.actual)
	}
}
