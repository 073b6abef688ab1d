package rules

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/plimsoll/plimsoll"

// root is the top of the checkout as seen from this package.
const root = "../.."

// goFile is one Go file of ours with the packages it imports.
type goFile struct {
	path    string // from the top, with slashes
	dir     string
	imports []string
	doc     bool // carries a package comment
	test    bool
}

func goFiles(t *testing.T) []goFile {
	t.Helper()
	var files []goFile
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != root || d.Name() == "testdata" || d.Name() == "bin") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		f := goFile{path: filepath.ToSlash(rel), dir: filepath.ToSlash(filepath.Dir(rel)),
			doc: parsed.Doc != nil, test: strings.HasSuffix(path, "_test.go")}
		for _, spec := range parsed.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			f.imports = append(f.imports, name)
		}
		files = append(files, f)
		return nil
	})
	if err != nil {
		t.Fatalf("walk the repository: %v", err)
	}
	if len(files) < 50 {
		t.Fatalf("found only %d Go files: is this the repository?", len(files))
	}
	return files
}

// under tells whether dir is folder or lies in it.
func under(dir, folder string) bool {
	return dir == folder || strings.HasPrefix(dir, folder+"/")
}

func TestImportDirections(t *testing.T) {
	forbidden := []struct {
		from   string
		except string // a folder in from the rule leaves out
		to     func(imp string) bool
		reason string
	}{
		{"agent", "", ours("collector"), "an agent knows nothing of the collector"},
		{"collector", "", ours("agent"), "the collector knows nothing of the agent"},
		{"collector/availability", "", notPure, "pure: standard library and gonum only"},
		{"collector/capacity", "", notPure, "pure: standard library and gonum only"},
		{"collector/record", "", notPure, "pure: standard library and gonum only"},
		{"collector", "collector/ledger", isSQL, "only collector/ledger speaks SQL"},
		{"agent", "", isSQL, "only collector/ledger speaks SQL"},
		{"internal", "", isSQL, "only collector/ledger speaks SQL"},
		{"cmd/plimsoll-agent", "", ours("collector"), "the agent's program links nothing of the collector"},
		{"cmd/plimsoll-agent", "", ours("internal/quickstart"), "the agent's program links nothing of the collector"},
	}
	for _, f := range goFiles(t) {
		for _, rule := range forbidden {
			if !under(f.dir, rule.from) || rule.except != "" && under(f.dir, rule.except) {
				continue
			}
			for _, imp := range f.imports {
				if f.test && !strings.HasPrefix(imp, module) && !isSQL(imp) {
					continue // tests may use test libraries
				}
				itself := f.test && imp == module+"/"+f.dir
				if rule.to(imp) && !itself && !testHelper(f, imp) {
					t.Errorf("%s imports %s: %s", f.path, imp, rule.reason)
				}
			}
		}
	}
}

// testHelper lets a test use the packages that exist for tests.
func testHelper(f goFile, imp string) bool {
	return f.test && (imp == module+"/internal/need" || strings.HasPrefix(imp, module+"/internal/journal/crashfs"))
}

func ours(folder string) func(string) bool {
	return func(imp string) bool { return under(imp, module+"/"+folder) }
}

func isSQL(imp string) bool {
	return imp == "database/sql" || under(imp, "github.com/ncruces/go-sqlite3") || strings.HasPrefix(imp, "github.com/pressly/goose") || strings.HasPrefix(imp, "github.com/jackc/pgx")
}

func notPure(imp string) bool {
	return strings.Contains(strings.Split(imp, "/")[0], ".") && !strings.HasPrefix(imp, "gonum.org/")
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	documented, example := map[string]bool{}, map[string]string{}
	for _, f := range goFiles(t) {
		if f.test {
			continue
		}
		documented[f.dir] = documented[f.dir] || f.doc
		example[f.dir] = f.path
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("package %s has no package comment (for instance in %s)", dir, example[dir])
		}
	}
}

// TestNoReflectingLibraryInTheAgent keeps template engines and method-finding
// command lines out: they make the linker keep every exported method, which
// costs megabytes on disk and in memory on each managed host.
func TestNoReflectingLibraryInTheAgent(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", module+"/cmd/plimsoll-agent").Output()
	if err != nil {
		t.Fatalf("go list -deps: %v", err)
	}
	deps := strings.Fields(string(out))
	if len(deps) < 50 {
		t.Fatalf("go list named only %d packages", len(deps))
	}
	for _, dep := range deps {
		for _, banned := range []string{"html/template", "text/template", "github.com/alecthomas/kong", "github.com/prometheus/prometheus", "database/sql", module + "/collector"} {
			if under(dep, banned) {
				t.Errorf("the agent links %s: it must not (see docs/architecture.md)", dep)
			}
		}
	}
}

// TestNoInit: wiring is one straight function, nothing happens on import.
func TestNoInit(t *testing.T) {
	for _, f := range goFiles(t) {
		text, err := os.ReadFile(filepath.Join(root, f.path))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "\nfunc init()") {
			t.Errorf("%s has an init function", f.path)
		}
	}
}

// committed lists the files git tracks, or skips where there is no git.
func committed(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("git", "-C", root, "ls-files").Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	return strings.Fields(string(out))
}

func TestNoPathOfAMachine(t *testing.T) {
	// Written in two pieces so that this file passes its own test.
	banned := []string{"/wor" + "k/", "/roo" + "t/", "/home" + "/runner", "/Use" + "rs/", "/tmp" + "/plan"}
	for _, name := range committed(t) {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			continue // deleted in the work tree
		}
		for _, b := range banned {
			if i := strings.Index(string(text), b); i >= 0 {
				line := 1 + strings.Count(string(text[:i]), "\n")
				t.Errorf("%s:%d names %s: a path of somebody's machine", name, line, b)
			}
		}
	}
}
