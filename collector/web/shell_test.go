package web

import (
	"os/exec"
	"testing"

	"github.com/plimsoll/plimsoll/internal/need"
)

// TestShellWord: a shell reads each text back as it was.
func TestShellWord(t *testing.T) {
	sh := need.Program(t, "sh", "dash")
	for _, text := range []string{"", "acme", "/srv/plimsoll", "it's", "a b", "$HOME", "`id`", "*", "~", "x=1", "客户", "a\nb", "-n"} {
		out, err := exec.Command(sh, "-c", "printf %s: "+ShellWord(text)).Output()
		if err != nil || string(out) != text+":" {
			t.Errorf("%q: %s gave %q, %v", text, ShellWord(text), out, err)
		}
	}
	if got := ShellWord("/srv/plimsoll"); got != "/srv/plimsoll" {
		t.Errorf("a plain path is quoted: %s", got)
	}
}
