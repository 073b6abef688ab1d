package figures

import (
	"math/big"
	"slices"

	"github.com/plimsoll/plimsoll/collector/availability"
)

// CustomerUsers is how the users of all services of one customer had them: the
// seconds of each service times its users, added up and divided once.
type CustomerUsers struct {
	Customer     string   `json:"customer"`
	Services     int      `json:"services" doc:"how many agreement versions were added: those of services with users and known time"`
	Availability *float64 `json:"availability_by_users" doc:"null: no service has users"`
	LostUserS    *float64 `json:"lost_user_s"`

	Exact *big.Rat `json:"-"` // Availability
}

// ByCustomer pools the figures by customer, in order of their names.
func ByCustomer(all []availability.Figures) []CustomerUsers {
	pools := map[string]*availability.Pool{}
	names := []string{}
	for i := range all {
		f := &all[i]
		if pools[f.Customer] == nil {
			pools[f.Customer] = &availability.Pool{}
			names = append(names, f.Customer)
		}
		pools[f.Customer].AddUsers(f)
	}
	slices.Sort(names)
	out := []CustomerUsers{}
	for _, name := range names {
		p := pools[name]
		c := CustomerUsers{Customer: name, Services: p.Parts, Exact: p.Availability()}
		if c.Exact != nil {
			x, _ := c.Exact.Float64()
			c.Availability = &x
		}
		if p.Parts > 0 {
			x, _ := p.Lost().Float64()
			c.LostUserS = &x
		}
		out = append(out, c)
	}
	return out
}
