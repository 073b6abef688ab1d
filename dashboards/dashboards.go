// Package dashboards holds the Grafana boards and the files that provision
// them, and knows which requests Grafana's stock Prometheus data source sends
// for a board: a test sends the very same ones through the real query API.
//
//	board.json ─▶ variables filled in, $__interval computed ─▶ Request: path + POST form
package dashboards

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"net/url"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"
)

//go:embed *.json provisioning
var files embed.FS

// Files are the boards (*.json) and the provisioning folder.
func Files() fs.FS { return files }

// Vars is the state of a board a person looks at.
type Vars struct {
	From, To time.Time
	Width    int                 // of a panel in pixels: Grafana's maxDataPoints; default 800
	Scrape   time.Duration       // the data source's timeInterval; default 15 s
	Values   map[string][]string // chosen values by variable; none chosen: All
}

// Request is one POST to the query API, below its base address.
type Request struct {
	Board, Panel string
	PanelID      int
	Ref          string // refId of the query, or the name of the variable
	Path         string // "/api/v1/query_range", "/api/v1/query", "/api/v1/label/service/values"
	Form         url.Values
	MayBeEmpty   bool // an annotation without events is no fault
}

// Board is the part of a Grafana board that asks for data.
type Board struct {
	UID           string `json:"uid"`
	Title         string `json:"title"`
	SchemaVersion int    `json:"schemaVersion"`
	Panels        []Panel
	Templating    struct{ List []Variable }
	Annotations   struct{ List []Annotation }
}

// Panel is one rectangle of a board.
type Panel struct {
	ID          int
	Type, Title string
	Description string
	GridPos     struct{ X, Y, W, H int }
	FieldConfig struct {
		Defaults struct {
			Unit       string
			Thresholds struct{ Steps []json.RawMessage }
		}
	}
	Targets []Target
}

// Target is one query of a panel.
type Target struct {
	RefID   string `json:"refId"`
	Expr    string
	Instant bool
	Format  string
}

// Variable is a choice at the top of a board.
type Variable struct {
	Name, Type string
	Multi      bool
	IncludeAll bool
	AllValue   string
	Definition string
	Current    struct{ Value any }
}

// Annotation marks events on every chart.
type Annotation struct{ Name, Expr string }

// Boards reads every board.
func Boards() (map[string]*Board, error) {
	names, err := fs.Glob(files, "*.json")
	if err != nil {
		return nil, err
	}
	boards := map[string]*Board{}
	for _, name := range names {
		data, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		b := &Board{}
		if err := json.Unmarshal(data, b); err != nil {
			return nil, fmt.Errorf("read board %s: %w", name, err)
		}
		boards[name] = b
	}
	return boards, nil
}

// Queries are the requests of all panels and annotations of all boards, in
// the order of the boards' names and their panels.
func Queries(v Vars) ([]Request, error) {
	boards, err := Boards()
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(boards))
	for name := range boards {
		names = append(names, name)
	}
	sort.Strings(names)
	var all []Request
	for _, name := range names {
		b := boards[name]
		fill := b.filler(v)
		for _, p := range b.Panels {
			for _, t := range p.Targets {
				r := v.request(fill(t.Expr), t.Instant)
				r.Board, r.Panel, r.PanelID, r.Ref = name, p.Title, p.ID, t.RefID
				all = append(all, r)
			}
		}
		for _, a := range b.Annotations.List {
			r := v.request(fill(a.Expr), false)
			r.Board, r.Panel, r.Ref, r.MayBeEmpty = name, "annotation "+a.Name, a.Name, true
			all = append(all, r)
		}
	}
	return all, nil
}

// Choices are the requests that fill the boards' variables.
func Choices(v Vars) ([]Request, error) {
	boards, err := Boards()
	if err != nil {
		return nil, err
	}
	var all []Request
	for name, b := range boards {
		fill := b.filler(v)
		for _, variable := range b.Templating.List {
			if variable.Type != "query" {
				continue
			}
			inner, ok := strings.CutPrefix(variable.Definition, "label_values(")
			cut := strings.LastIndex(inner, ",")
			if !ok || cut < 0 {
				return nil, fmt.Errorf("board %s: variable %s: %q is not label_values(series, label)", name, variable.Name, variable.Definition)
			}
			label := strings.TrimSpace(strings.TrimSuffix(inner[cut+1:], ")"))
			form := url.Values{"match[]": {fill(inner[:cut])}, "start": {seconds(v.From)}, "end": {seconds(v.To)}}
			all = append(all, Request{Board: name, Panel: "variable " + variable.Name, Ref: variable.Name, Path: "/api/v1/label/" + label + "/values", Form: form})
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Board+all[i].Ref < all[j].Board+all[j].Ref })
	return all, nil
}

// request is what the data source posts: seconds as floats, the range aligned to the step.
func (v Vars) request(expr string, instant bool) Request {
	if instant {
		return Request{Path: "/api/v1/query", Form: url.Values{"query": {expr}, "time": {seconds(v.To)}}}
	}
	step := v.interval().Seconds()
	align := func(t time.Time) string {
		return strconv.FormatFloat(math.Floor(float64(t.UnixMilli())/1000/step)*step, 'f', -1, 64)
	}
	return Request{Path: "/api/v1/query_range", Form: url.Values{"query": {expr}, "start": {align(v.From)}, "end": {align(v.To)},
		"step": {strconv.FormatFloat(step, 'f', -1, 64)}}}
}

func seconds(t time.Time) string {
	return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', -1, 64)
}

func (v Vars) scrape() time.Duration {
	if v.Scrape > 0 {
		return v.Scrape
	}
	return 15 * time.Second
}

// interval is $__interval: the range over the panel's width at a round value,
// never under the scrape interval.
func (v Vars) interval() time.Duration {
	width := v.Width
	if width == 0 {
		width = 800
	}
	raw := v.To.Sub(v.From) / time.Duration(width)
	for _, round := range []time.Duration{time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 20 * time.Second, 30 * time.Second,
		time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 20 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour} {
		if round >= raw {
			return max(round, v.scrape())
		}
	}
	return 24 * time.Hour
}

var reference = regexp.MustCompile(`\$\{(\w+)(?::\w+)?\}|\$(\w+)`)

// filler replaces variables as the data source does: several values become a
// group of alternatives, with what is special in a pattern escaped.
func (b *Board) filler(v Vars) func(string) string {
	step := v.interval()
	known := map[string]string{
		"__interval":      short(step),
		"__interval_ms":   strconv.FormatInt(step.Milliseconds(), 10),
		"__rate_interval": short(max(step+v.scrape(), 4*v.scrape())),
		"__range":         short(v.To.Sub(v.From)),
		"__range_s":       strconv.FormatInt(int64(v.To.Sub(v.From).Seconds()), 10),
	}
	for _, variable := range b.Templating.List {
		chosen := v.Values[variable.Name]
		switch {
		case variable.Type != "query":
			if text, ok := variable.Current.Value.(string); ok {
				known[variable.Name] = text
			}
		case len(chosen) == 0:
			known[variable.Name] = variable.AllValue
		default:
			escaped := make([]string, len(chosen))
			for i, c := range chosen {
				escaped[i] = special.ReplaceAllString(strings.ReplaceAll(c, `\`, `\\\\`), `\\$0`)
			}
			known[variable.Name] = strings.Join(escaped, "|")
			if len(escaped) > 1 {
				known[variable.Name] = "(" + known[variable.Name] + ")"
			}
		}
	}
	return func(expr string) string {
		return reference.ReplaceAllStringFunc(expr, func(ref string) string {
			m := reference.FindStringSubmatch(ref)
			if text, ok := known[m[1]+m[2]]; ok {
				return text
			}
			return ref
		})
	}
}

var special = regexp.MustCompile(`[$^*{}\[\]'+?.()|]`)

// short writes a duration as PromQL takes it.
func short(d time.Duration) string {
	if d%time.Second == 0 {
		return strconv.FormatInt(int64(d/time.Second), 10) + "s"
	}
	return strconv.FormatInt(d.Milliseconds(), 10) + "ms"
}
