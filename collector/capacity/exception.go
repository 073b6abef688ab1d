package capacity

import (
	"math"
	"regexp"
)

// Exception is other thresholds, or none, for those instances of a resource
// whose labels match: of their series, and of the host they belong to.
type Exception struct {
	Resource string                    // its name
	Match    map[string]*regexp.Regexp // labels with their whole values
	Not      map[string]*regexp.Regexp // labels with values they must not have
	Ignore   bool                      // there is no threshold at all
	Warning  float64                   // share of the limit; 0: the resource's own, as for the two below
	Critical float64
	Clear    float64 // 0 with a Warning: as far below it as the resource has it
	Reason   string
	Until    int64 // Unix ms, excluded; 0: without an end
}

// Matches tells whether the exception is about an instance of the resource at
// an instant (Unix ms). label gives the value of a label, "" where there is none.
func (e *Exception) Matches(resource string, label func(string) string, at int64) bool {
	if e.Resource != resource || e.Until != 0 && at >= e.Until {
		return false
	}
	for name, want := range e.Match {
		if !want.MatchString(label(name)) {
			return false
		}
	}
	for name, not := range e.Not {
		if not.MatchString(label(name)) {
			return false
		}
	}
	return true
}

// For is the resource as it holds for one instance at an instant: by the
// first exception that matches, which is given too; nil: none does.
func For(r *Resource, all []Exception, label func(string) string, at int64) (*Resource, *Exception) {
	for i := range all {
		if e := &all[i]; e.Matches(r.Name, label, at) {
			return e.apply(r), e
		}
	}
	return r, nil
}

func (e *Exception) apply(r *Resource) *Resource {
	out := *r
	if e.Ignore {
		out.Warning, out.Critical, out.Clear = math.Inf(1), 0, 0
		return &out
	}
	if e.Warning != 0 {
		out.Warning = e.Warning
		if r.Clear != 0 {
			out.Clear = max(0, e.Warning-(r.Warning-r.Clear))
		}
	}
	if e.Critical != 0 {
		out.Critical = e.Critical
	}
	if e.Clear != 0 {
		out.Clear = e.Clear
	}
	return &out
}

// Unbounded tells that the resource has no threshold: an exception ignores it.
func (r *Resource) Unbounded() bool { return math.IsInf(r.Warning, 1) }
