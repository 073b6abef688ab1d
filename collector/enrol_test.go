package collector

import (
	"strings"
	"testing"
)

// TestStartWith: the line that starts a collector again keeps what it was
// started with, and can be typed in any directory.
func TestStartWith(t *testing.T) {
	here := absolute(".")
	for _, row := range []struct{ args, want string }{
		{"quickstart", "p quickstart --listen-agents :1877"},
		{"quickstart --listen-agents 127.0.0.1:1877 --data d", "p quickstart --data HERE/d --listen-agents :1877"},
		{"quickstart --data=d --listen-agents=127.0.0.1:1877", "p quickstart --data HERE/d --listen-agents :1877"},
		{"run --config c.yaml --listen 127.0.0.1:9", "p run --config HERE/c.yaml --listen 127.0.0.1:9 --listen-agents :1877"},
		{"run --data /srv/$x", "p run --data '/srv/$x' --listen-agents :1877"},
	} {
		if got := strings.ReplaceAll(startWith("p", strings.Fields(row.args), ":1877"), here, "HERE"); got != row.want {
			t.Errorf("%s:\n got  %s\n want %s", row.args, got, row.want)
		}
	}
}
