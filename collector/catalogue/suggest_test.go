package catalogue

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// fleet is 300 hosts of two customers with 20 services each, every fourth with
// a database beside its web servers.
func fleet() []Seen {
	var all []Seen
	for i := range 300 {
		service := i % 40
		role := "web"
		if service%4 == 0 && i >= 200 {
			role = "db"
		}
		all = append(all, Seen{fmt.Sprintf("h-%03d", i), map[string]string{"customer": []string{"acme", "globex"}[service/20], "app": fmt.Sprintf("app-%02d", service), "role": role, "site": "sh"}})
	}
	return all
}

// TestThreeHundredServers: from labels to a green check, the whole catalogue
// is at most 150 lines, and every host is needed by a service.
func TestThreeHundredServers(t *testing.T) {
	hosts := fleet()
	text := Suggest(hosts, "Asia/Shanghai")
	if lines := bytes.Count(text, []byte("\n")); lines > 150 {
		t.Errorf("%d lines:\n%s", lines, text)
	}
	c, faults := Parse("draft.yaml", text)
	if faults != nil {
		t.Fatalf("%v\n%s", faults, text)
	}
	var tenures []Tenure
	for _, h := range hosts {
		tenures = append(tenures, Tenure{Host: h.Host, Labels: h.Labels, From: 1})
	}
	got, notes := c.Expand(tenures)
	if len(notes) > 0 || len(got.Availability.Components) != 300 || len(got.Availability.Services) != 40 || len(got.Availability.Agreements) != 40 {
		t.Fatalf("%v: %d components, %d services", notes, len(got.Availability.Components), len(got.Availability.Services))
	}
	needed := map[string]bool{}
	for _, s := range got.Availability.Services {
		for _, name := range s.Needs.Names() {
			needed[name] = true
		}
	}
	if len(needed) != 300 {
		t.Errorf("%d of 300 hosts are needed", len(needed))
	}
	if shipped := read(t, "../../configs/catalogues/three-hundred-servers.yaml"); !bytes.Equal(shipped, text) {
		if *update {
			write(t, "../../configs/catalogues/three-hundred-servers.yaml", text)
		} else {
			t.Error("configs/catalogues/three-hundred-servers.yaml is not what suggest gives; -update writes it")
		}
	}
}

// FuzzSuggest: whatever labels say, the draft has no faults.
func FuzzSuggest(f *testing.F) {
	f.Add("acme", "shop", "web", "true", "a: b", "'", "\n#")
	f.Fuzz(func(t *testing.T, a, b, c, d, e, g, h string) {
		words := []string{a, b, c, d, e, g, h}
		for i, w := range words { // labels are UTF-8 without control characters
			words[i] = strings.Map(func(r rune) rune {
				if r < ' ' || r == 0x7f || r == 0xfffd || r >= 0x80 && r < 0xa0 || r == 0x2028 || r == 0x2029 || r == 0xfeff || r == 0xfffe || r == 0xffff {
					return -1
				}
				return r
			}, w)
		}
		var hosts []Seen
		for i, w := range words {
			hosts = append(hosts, Seen{fmt.Sprint("h", i), map[string]string{"customer": words[(i+1)%7], serviceLabels()[i%3]: w, "role": words[(i+2)%7]}})
		}
		text := Suggest(hosts, "UTC")
		if _, faults := Parse("draft.yaml", text); faults != nil {
			t.Fatalf("%v\n%s", faults, text)
		}
	})
}

func TestReadInventory(t *testing.T) {
	for _, r := range []struct{ text, want string }{
		{"host,customer,role\nweb-1,acme,web\ndb-1,,db\n", "[{web-1 map[customer:acme role:web]} {db-1 map[role:db]}] <nil>"},
		{"role,instance\nweb,web-1\n", "[{web-1 map[role:web]}] <nil>"},
		{"name,role\n", "[] line 1: no column host among name,role"},
		{"host,role\na,web\na,db\nb\n", "[{a map[role:web]}] line 3: host \"a\" is empty or stands on line 2 already\nrecord on line 4: wrong number of fields"},
	} {
		got, err := ReadInventory(strings.NewReader(r.text))
		if text := fmt.Sprint(got, " ", err); text != r.want {
			t.Errorf("%q: got %s, want %s", r.text, text, r.want)
		}
	}
}
