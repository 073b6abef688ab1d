package need

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Bus starts a real message bus of the test's own, on which anybody may own
// any name, and returns its socket: run/dbus/system_bus_socket under a root
// that holds nothing else. It ends with the test.
func Bus(t testing.TB) (socket string) {
	t.Helper()
	program := Program(t, "dbus-daemon", "dbus-daemon")
	root := t.TempDir()
	socket = filepath.Join(root, "run/dbus/system_bus_socket")
	if err := os.MkdirAll(filepath.Dir(socket), 0o755); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(root, "bus.conf")
	text := `<busconfig><type>custom</type><listen>unix:path=` + socket + `</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "--nofork", "--config-file="+config)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for deadline := time.Now().Add(10 * time.Second); ; {
		if c, err := net.Dial("unix", socket); err == nil { // that the file is there is not yet that anybody listens
			_ = c.Close()
			return socket
		}
		if time.Now().After(deadline) {
			t.Fatal("the bus does not come up")
		}
		<-time.After(5 * time.Millisecond)
	}
}
