package closing

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/plimsoll/plimsoll/collector/availability"
)

// Difference is one figure that comes out otherwise; "-" is no value.
type Difference struct {
	Service   string `json:"service"`
	Agreement string `json:"agreement"`
	Version   int    `json:"version"`
	Figure    string `json:"figure"` // as the evaluate command names it; "outage FROM" for an outage
	Was       string `json:"was"`
	Is        string `json:"is"`
}

// Differences lists what of now differs from before, in the order of before.
// What became of an outage behind the period's end is none: that is the next
// period's matter.
func Differences(before, now *Frozen) ([]Difference, error) {
	var out []Difference
	key := func(f *availability.Figures) string {
		return fmt.Sprintf("%q %q %d", f.Service, f.Agreement, f.Version)
	}
	is := map[string]*availability.Figures{}
	for i := range now.Results {
		f := &now.Results[i].Explanation.Figures
		is[key(f)] = f
	}
	add := func(f *availability.Figures, figure, was, now string) {
		if was != now {
			out = append(out, Difference{f.Service, f.Agreement, f.Version, figure, was, now})
		}
	}
	for i := range before.Results {
		old := &before.Results[i].Explanation.Figures
		a, err := flat(old)
		if err != nil {
			return nil, err
		}
		f, still := is[key(old)]
		if !still {
			add(old, "agreement", "in force", "-")
			continue
		}
		delete(is, key(old))
		b, err := flat(f)
		if err != nil {
			return nil, err
		}
		names := maps.Clone(a)
		maps.Copy(names, b)
		skip := unmeasured(old, f)
		if old.Functions == nil { // frozen before functions and users were kept: it said nothing about them
			maps.DeleteFunc(names, func(name, _ string) bool { return byFunctionOrUser(name) })
		}
		for _, name := range slices.Sorted(maps.Keys(names)) {
			if skip[name] {
				continue
			}
			add(old, name, orNone(a[name]), orNone(b[name]))
		}
	}
	for i := range now.Results {
		if f := &now.Results[i].Explanation.Figures; is[key(f)] != nil {
			add(f, "agreement", "-", "in force")
		}
	}
	return out, nil
}

// byFunctionOrUser tells whether a figure is one of functions or users.
func byFunctionOrUser(name string) bool {
	switch name {
	case "users", "availability_by_functions", "availability_by_users", "lost_user_s":
		return true
	}
	return strings.HasPrefix(name, functionMark)
}

// functionMark begins the names of figures of a function.
const functionMark = "function "

func orNone(text string) string {
	if text == "" || text == "null" {
		return "-"
	}
	return text
}

// flat is each figure by its name, and each outage by its beginning.
func flat(f *availability.Figures) (map[string]string, error) {
	copied := *f
	copied.Outages = nil
	raw, err := json.Marshal(&copied)
	if err != nil {
		return nil, err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return nil, err
	}
	out := map[string]string{}
	for name, value := range fields {
		switch name {
		case "as_of", "outages", "functions":
			continue
		case "cut":
			var cuts map[string]json.RawMessage
			if err := json.Unmarshal(value, &cuts); err != nil {
				return nil, err
			}
			for each, seconds := range cuts {
				out["cut."+each] = string(seconds)
			}
			continue
		case "indicators":
			for k := range f.Indicators {
				i := &f.Indicators[k]
				out[indicatorName(i)] = i.State
				if i.Basis != nil && i.Exact != nil {
					out[indicatorValue(i)] = i.Exact.RatString()
				}
			}
			continue
		}
		out[name] = string(value)
	}
	for i := range f.Functions {
		each := f.Functions[i]
		each.Outages = nil
		raw, err := json.Marshal(&each)
		if err != nil {
			return nil, err
		}
		out[functionMark+each.Name] = string(raw)
	}
	for _, o := range f.Outages {
		o.Earliest = nil // how sure the beginning is; less, once raw facts have aged out, which is no other outcome
		if o.To == nil || o.To.MS >= f.To.MS {
			o.To, o.Bridged, o.Components = nil, false, nil
		}
		o.Functions, o.LostUserS = nil, nil // told by the functions and users themselves
		raw, err := json.Marshal(&o)
		if err != nil {
			return nil, err
		}
		out["outage "+o.From.String()] = string(raw)
	}
	return out, nil
}
