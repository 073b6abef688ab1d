package capacity

import (
	"errors"
	"fmt"
	"time"
)

// Resource is a capacity dimension of something, declared once for all its
// instances: used and limit are PromQL, one instance per combination of the
// labels in Per. Thresholds are shares of the limit, 0..1.
type Resource struct {
	Name     string
	Kind     string   // technical, service, business or financial
	Unit     string   // of used and limit: bytes, cores, …
	Per      []string // labels that make an instance; instance first
	Used     string
	Limit    string
	Warning  float64
	Critical float64 // 0 = there is none
	// Clear is what utilisation must fall below before a breach is over. 0 = Warning.
	Clear float64
	// For is how long a threshold must be passed, or Clear be kept, before it counts.
	For time.Duration
}

// Rule is the identity of the resource's threshold in breaches and records.
func (r *Resource) Rule() string { return "capacity/" + r.Name }

// clear is the effective clear threshold.
func (r *Resource) clear() float64 {
	if r.Clear == 0 {
		return r.Warning
	}
	return r.Clear
}

// Check names all that is wrong with the thresholds of r.
func (r *Resource) Check() error {
	var faults []error
	bad := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if r.Name == "" {
		bad("resource without a name")
	}
	if len(r.Per) == 0 {
		bad("resource %s: per names no label: what makes one instance of it?", r.Name)
	}
	if r.Used == "" || r.Limit == "" {
		bad("resource %s: used and limit are both needed", r.Name)
	}
	if !(r.Warning > 0) || r.Warning > 10 {
		bad("resource %s: warning %v is not a share of the limit above 0", r.Name, r.Warning)
	}
	if r.Critical != 0 && !(r.Critical >= r.Warning) {
		bad("resource %s: critical %v is below warning %v", r.Name, r.Critical, r.Warning)
	}
	if r.Clear < 0 || r.Clear > r.Warning {
		bad("resource %s: clear %v is not between 0 and warning %v", r.Name, r.Clear, r.Warning)
	}
	if r.For < 0 {
		bad("resource %s: for %v is negative", r.Name, r.For)
	}
	return errors.Join(faults...)
}
