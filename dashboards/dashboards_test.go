package dashboards

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
	"gopkg.in/yaml.v3"
)

func vars() Vars {
	to := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	return Vars{From: to.Add(-6 * time.Hour), To: to, Values: map[string][]string{"service": {"shop", "data.base"}, "host": {"web-1"}}}
}

// TestStructure is as strict as Grafana is, and stricter.
func TestStructure(t *testing.T) {
	boards, err := Boards()
	if err != nil {
		t.Fatal(err)
	}
	if len(boards) == 0 {
		t.Fatal("no board")
	}
	uids := map[string]string{}
	for name, b := range boards {
		if other := uids[b.UID]; b.UID == "" || other != "" {
			t.Errorf("%s: uid %q is empty or that of %s", name, b.UID, other)
		}
		uids[b.UID] = name
		if b.SchemaVersion < 39 {
			t.Errorf("%s: schemaVersion %d is older than Grafana 11", name, b.SchemaVersion)
		}
		defined := map[string]bool{}
		for _, v := range b.Templating.List {
			defined[v.Name] = true
		}
		ids, taken := map[int]string{}, map[[2]int]string{}
		for _, p := range b.Panels {
			if p.Title == "" || p.Description == "" || p.FieldConfig.Defaults.Unit == "" || len(p.FieldConfig.Defaults.Thresholds.Steps) == 0 || len(p.Targets) == 0 {
				t.Errorf("%s: panel %d %q lacks a title, description, unit, threshold or query", name, p.ID, p.Title)
			}
			if ids[p.ID] != "" {
				t.Errorf("%s: panels %q and %q share id %d", name, p.Title, ids[p.ID], p.ID)
			}
			ids[p.ID] = p.Title
			if p.GridPos.W < 1 || p.GridPos.X+p.GridPos.W > 24 {
				t.Errorf("%s: panel %q leaves the 24 columns", name, p.Title)
			}
			for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
				for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
					if other := taken[[2]int{x, y}]; other != "" {
						t.Fatalf("%s: panels %q and %q overlap", name, p.Title, other)
					}
					taken[[2]int{x, y}] = p.Title
				}
			}
			for _, q := range p.Targets {
				for _, m := range reference.FindAllStringSubmatch(q.Expr, -1) {
					if n := m[1] + m[2]; !defined[n] && !strings.HasPrefix(n, "__") {
						t.Errorf("%s: panel %q uses $%s, which nothing defines", name, p.Title, n)
					}
				}
			}
		}
	}
}

func TestQueriesAreWhatGrafanaSends(t *testing.T) {
	queries, err := Queries(vars())
	if err != nil {
		t.Fatal(err)
	}
	if len(queries) < 15 {
		t.Errorf("got only %d queries", len(queries))
	}
	p := parser.NewParser(parser.Options{})
	for _, q := range queries {
		expr := q.Form.Get("query")
		if strings.Contains(expr, "$") {
			t.Errorf("%s %s: a variable is left in %s", q.Panel, q.Ref, expr)
		}
		if _, err := p.ParseExpr(expr); err != nil {
			t.Errorf("%s %s: %v", q.Panel, q.Ref, err)
		}
	}
	first := queries[0].Form
	if got, want := first.Get("query"), `plimsoll_service_availability_ratio{customer=~".*",service=~"(shop|data\\.base)"}`; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if got := first.Get("time"); got != "1795608000" {
		t.Errorf("time: got %s", got)
	}
	for _, q := range queries {
		if q.Panel == "CPU" {
			// 6 h over 800 px are 27 s, so steps of 30 s; the rate needs 4 scrapes.
			if !strings.Contains(q.Form.Get("query"), "[60s]") || q.Form.Get("step") != "30" {
				t.Errorf("CPU: got %v", q.Form)
			}
		}
	}
	choices, err := Choices(vars())
	if err != nil {
		t.Fatal(err)
	}
	if len(choices) != 3 || choices[1].Path != "/api/v1/label/instance/values" || choices[2].Form.Get("match[]") != `plimsoll_service_info{customer=~".*"}` {
		t.Errorf("got %+v", choices)
	}
}

// TestProvisioningNamesWhatExists: the data source has the uid the boards ask for.
func TestProvisioningNamesWhatExists(t *testing.T) {
	found := 0
	err := fs.WalkDir(Files(), "provisioning", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(Files(), path)
		if err != nil {
			return err
		}
		var doc map[string]any
		if err := yaml.Unmarshal(data, &doc); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		found++
		if strings.Contains(path, "datasources") && !regexp.MustCompile(`(?m)^    uid: plimsoll$`).Match(data) {
			t.Errorf("%s: the data source must have uid plimsoll", path)
		}
		return nil
	})
	if err != nil || found != 2 {
		t.Errorf("found %d files: %v", found, err)
	}
}
