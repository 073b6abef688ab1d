package rules

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"testing"
)

// documents are the texts people read: they must not promise what is not there.
func documents(t *testing.T) map[string]string {
	t.Helper()
	docs := map[string]string{}
	for _, name := range committed(t) {
		if !strings.HasSuffix(name, ".md") || strings.HasPrefix(name, "docs/decisions/") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			continue
		}
		docs[name] = string(text)
	}
	if len(docs) < 4 {
		t.Fatalf("found only %d documents", len(docs))
	}
	return docs
}

var (
	quoted     = regexp.MustCompile("`([^`\n]+)`")
	linked     = regexp.MustCompile(`\]\(([^)#\s]+)(?:#[^)]*)?\)`)
	fenced     = regexp.MustCompile("(?s)```[a-z]*\n(.*?)```")
	metricName = regexp.MustCompile(`\bplimsoll_[a-z0-9_]+\b`)
	flagName   = regexp.MustCompile(`(?:^|\s)--?([a-z][a-z-]+)`)
	program    = regexp.MustCompile(`plimsoll-(agent|collector)((?:\s+[a-z]+){1,2})`)
)

// TestPathsInDocuments: each quoted path that begins with a folder of this
// repository, and each relative link, exists.
func TestPathsInDocuments(t *testing.T) {
	top := map[string]bool{}
	for _, name := range committed(t) {
		if first, _, ok := strings.Cut(name, "/"); ok {
			top[first] = true
		}
	}
	checked := 0
	for doc, text := range documents(t) {
		for _, m := range quoted.FindAllStringSubmatch(text, -1) {
			path := strings.TrimPrefix(strings.TrimRight(m[1], "/"), "./")
			first, _, ok := strings.Cut(path, "/")
			if !ok || !top[first] || strings.ContainsAny(path, " <>{}$") {
				continue
			}
			checked++
			if found, _ := filepath.Glob(filepath.Join(root, strings.TrimSuffix(path, "/..."))); len(found) == 0 {
				t.Errorf("%s names `%s`, which does not exist", doc, m[1])
			}
		}
		for _, m := range linked.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			checked++
			if _, err := os.Stat(filepath.Join(root, filepath.Dir(doc), m[1])); err != nil {
				t.Errorf("%s links to %s, which does not exist", doc, m[1])
			}
		}
	}
	if checked < 30 {
		t.Errorf("checked only %d paths: has the pattern rotted?", checked)
	}
}

// helpOf runs "program command --help" once per command and remembers it.
type helpOf struct {
	dir  string
	seen map[string]string
}

func newHelp(t *testing.T) *helpOf {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("go", "build", "-o", dir+string(filepath.Separator), module+"/cmd/plimsoll-agent", module+"/cmd/plimsoll-collector")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build both programs: %v\n%s", err, out)
	}
	return &helpOf{dir: dir, seen: map[string]string{}}
}

func (h *helpOf) text(program string, words ...string) string {
	key := program + " " + strings.Join(words, " ")
	if text, ok := h.seen[key]; ok {
		return text
	}
	// Asking for help ends with a status of its own in some programs.
	out, _ := exec.Command(filepath.Join(h.dir, program), append(words, "--help")...).CombinedOutput()
	h.seen[key] = string(out)
	return h.seen[key]
}

// TestCommandsInDocuments: each command line of ours in a code block or in
// backquotes names a command that answers to --help and flags it knows.
func TestCommandsInDocuments(t *testing.T) {
	help := newHelp(t)
	checked := 0
	for doc, text := range documents(t) {
		var lines []string
		for _, m := range fenced.FindAllStringSubmatch(text, -1) {
			joined := strings.ReplaceAll(m[1], "\\\n", " ")
			lines = append(lines, strings.Split(joined, "\n")...)
		}
		for _, m := range quoted.FindAllStringSubmatch(text, -1) {
			lines = append(lines, m[1])
		}
		for _, line := range lines {
			m := program.FindStringSubmatch(line)
			if m == nil {
				continue
			}
			checked++
			name, words := "plimsoll-"+m[1], strings.Fields(m[2])
			usage := help.text(name, words[0])
			if len(words) == 2 && strings.Contains(usage, words[0]+" "+words[1]) {
				usage = help.text(name, words...)
			}
			if !strings.Contains(usage, words[0]) || strings.Contains(usage, "unknown command") || strings.Contains(usage, "unexpected argument") {
				t.Errorf("%s: %q: %s has no command %s", doc, line, name, words[0])
				continue
			}
			rest := line[strings.Index(line, m[0])+len(m[0]):]
			rest, _, _ = strings.Cut(rest, " #")
			rest, _, _ = strings.Cut(rest, " | ")
			for _, f := range flagName.FindAllStringSubmatch(rest, -1) {
				if !strings.Contains(usage, "-"+f[1]) {
					t.Errorf("%s: %q: %s %s has no flag --%s", doc, line, name, strings.Join(words, " "), f[1])
				}
			}
		}
	}
	if checked < 10 {
		t.Errorf("checked only %d command lines: has the pattern rotted?", checked)
	}
}

// TestMetricsInDocuments: each metric of ours named in a document or board is
// a name the code has.
func TestMetricsInDocuments(t *testing.T) {
	var code strings.Builder
	for _, f := range goFiles(t) {
		if !f.test {
			text, err := os.ReadFile(filepath.Join(root, f.path))
			if err != nil {
				t.Fatal(err)
			}
			code.Write(text)
		}
	}
	known := code.String()
	texts := documents(t)
	boards, err := filepath.Glob(filepath.Join(root, "dashboards", "*.json"))
	if err != nil || len(boards) == 0 {
		t.Fatalf("no board in dashboards: %v", err)
	}
	for _, b := range boards {
		text, err := os.ReadFile(b)
		if err != nil {
			t.Fatal(err)
		}
		texts["dashboards/"+filepath.Base(b)] = string(text)
	}
	for doc, text := range texts {
		missing := map[string]bool{}
		for _, name := range metricName.FindAllString(text, -1) {
			bare := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_count"), "_sum")
			if !strings.Contains(known, `"`+name+`"`) && !strings.Contains(known, `"`+bare+`"`) && !strings.Contains(known, name) {
				missing[name] = true
			}
		}
		names := make([]string, 0, len(missing))
		for name := range missing {
			names = append(names, name)
		}
		sort.Strings(names)
		for _, name := range names {
			t.Errorf("%s names the metric %s, which no code has", doc, name)
		}
	}
}
