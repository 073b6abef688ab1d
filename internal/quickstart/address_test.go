package quickstart

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestChecksFollowTheAddresses: each row is a file agent.yaml, what quickstart
// remembers of it, and what becomes of both when sample-page is at :2/ and
// plimsoll-page at :9/ today.
func TestChecksFollowTheAddresses(t *testing.T) {
	today := addresses{componentSample: "http://h:2/", componentPage: "http://h:9/"}
	ours := `{"sample-page":["http://h:1/"],"plimsoll-page":["http://h:8/"]}`
	for _, row := range []struct {
		name, memory, file, want string
		told                     []string // parts of the lines of the story, in order
		remembers                string   // of sample-page
	}{
		{"moved, comments stay", ours,
			"# mine\nchecks:\n  - {component: sample-page, http: \"http://h:1/\", interval: 5s} # é\n  - component: plimsoll-page\n    http: http://h:8/  # plain\n",
			"# mine\nchecks:\n  - {component: sample-page, http: \"http://h:2/\", interval: 5s} # é\n  - component: plimsoll-page\n    http: \"http://h:9/\"  # plain\n",
			[]string{"sample-page in", "plimsoll-page in"}, `["http://h:2/","http://h:1/"]`},
		{"in single quotes, after a letter of two bytes", ours, "checks: [{note: 'é', component: sample-page, http: 'http://h:1/'}]\n", "checks: [{note: 'é', component: sample-page, http: 'http://h:2/'}]\n",
			[]string{"asks http://h:2/ from now on, not http://h:1/."}, `["http://h:2/","http://h:1/"]`},
		{"at the same place", ours, "checks: [{component: sample-page, http: \"http://h:2/\"}]\n", "checks: [{component: sample-page, http: \"http://h:2/\"}]\n",
			nil, `["http://h:2/"]`},
		{"a person's address", ours, "checks: [{component: sample-page, http: \"http://mine/\"}]\n", "checks: [{component: sample-page, http: \"http://mine/\"}]\n",
			[]string{"ask http://mine/, as a person wrote it; it is at http://h:2/ this time"}, `["http://h:1/"]`},
		{"a person's component at our address", ours, "checks: [{component: shop, http: \"http://h:1/\"}]\n", "checks: [{component: shop, http: \"http://h:1/\"}]\n",
			nil, `["http://h:1/"]`},
		{"a move that was not finished", `{"sample-page":["http://h:3/","http://h:1/"]}`, "checks: [{component: sample-page, http: \"http://h:1/\"}]\n", "checks: [{component: sample-page, http: \"http://h:2/\"}]\n",
			[]string{"not http://h:1/"}, `["http://h:2/","http://h:1/"]`},
		{"no memory, the file is as it was first written", "", agentText("http://h:8/", "http://h:1/"), agentText("http://h:9/", "http://h:2/"),
			[]string{"sample-page in", "plimsoll-page in"}, `["http://h:2/","http://h:1/"]`},
		{"no memory, a person's file", "", "checks: [{component: sample-page, http: \"http://h:1/\"}]\n", "checks: [{component: sample-page, http: \"http://h:1/\"}]\n",
			[]string{"as a person wrote it"}, ``},
		{"the agent names these faults", ours, "checks: [\n", "checks: [\n", nil, `["http://h:1/"]`},
	} {
		dir := t.TempDir()
		write := func(name, text string) {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		read := func(name string) string {
			text, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
		write("agent.yaml", row.file)
		if row.memory != "" {
			write(addressesFile, row.memory)
		}
		told, err := today.follow(dir)
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
		}
		if got := read("agent.yaml"); got != row.want {
			t.Errorf("%s:\n got  %q\n want %q", row.name, got, row.want)
		}
		if got := read(addressesFile); row.remembers != "" && !strings.Contains(got, `"sample-page":`+row.remembers) || row.remembers == "" && strings.Contains(got, "sample-page") {
			t.Errorf("%s: remembers %s, want %s of sample-page", row.name, got, row.remembers)
		}
		if len(told) != len(row.told) {
			t.Errorf("%s: told %q, want %d lines", row.name, told, len(row.told))
			continue
		}
		for i, part := range row.told {
			if !strings.Contains(told[i], part) {
				t.Errorf("%s: told %q, want %q", row.name, told[i], part)
			}
		}
	}
}

// TestNearby: what is bound everywhere is reached on loopback.
func TestNearby(t *testing.T) {
	for bound, want := range map[string]string{
		"127.0.0.1:1877": "127.0.0.1:1877",
		"10.0.0.7:1877":  "10.0.0.7:1877",
		"0.0.0.0:1877":   "127.0.0.1:1877",
		"[::]:1877":      "[::1]:1877",
	} {
		if got := nearby(bound); got != want {
			t.Errorf("%s: got %s, want %s", bound, got, want)
		}
	}
}
