package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/plimsoll/plimsoll/internal/need"
)

const (
	agentUnit     = "../../deploy/systemd/plimsoll-agent.service"
	collectorUnit = "../../deploy/systemd/plimsoll-collector.service"
	// sandboxEnv makes this test program go into the sandbox and become
	// another program there.
	sandboxEnv = "PLIMSOLL_E2E_SANDBOX"
	// sandboxUser is in the range that DynamicUser= takes from.
	sandboxUser = 61234
)

// sandbox is what of a unit's restrictions can be had without systemd.
type sandbox struct {
	Writable string   // the state directory
	Calls    []uint32 // numbers of the system calls that are allowed
	Families []uint32 // of sockets
	Program  []string
}

// unitValues are all values of a key of a unit file, in their order.
func unitValues(t *testing.T, file, key string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	for _, m := range regexp.MustCompile(`(?m)^`+key+`=(.*)$`).FindAllStringSubmatch(string(text), -1) {
		values = append(values, m[1])
	}
	if len(values) == 0 {
		t.Fatalf("%s does not set %s", file, key)
	}
	return values
}

// callsOf resolves a set of system calls as systemd does.
func callsOf(t *testing.T, set string) map[string]bool {
	t.Helper()
	out, err := exec.Command("systemd-analyze", "syscall-filter", "--no-pager", set).Output()
	if err != nil {
		t.Fatalf("systemd-analyze syscall-filter %s: %v", set, err)
	}
	calls := map[string]bool{}
	for _, line := range strings.Split(string(out), "\n")[1:] {
		switch name := strings.TrimSpace(line); {
		case name == "" || strings.HasPrefix(name, "#"):
		case strings.HasPrefix(name, "@"):
			for call := range callsOf(t, name) {
				calls[call] = true
			}
		default:
			calls[name] = true
		}
	}
	return calls
}

// callNumbers reads the kernel's own list of this machine.
func callNumbers(t *testing.T) map[string]uint32 {
	t.Helper()
	file, err := os.Open("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
	if err != nil || runtime.GOARCH != "amd64" {
		need.Missing(t, "the numbers of system calls are not here (package linux-libc-dev, amd64)")
	}
	defer func() { _ = file.Close() }()
	numbers := map[string]uint32{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var name string
		var number uint32
		if n, _ := fmt.Sscanf(lines.Text(), "#define __NR_%s %d", &name, &number); n == 2 {
			numbers[name] = number
		}
	}
	return numbers
}

// sandboxOf reads a unit's restrictions.
func sandboxOf(t *testing.T, unit, writable string) sandbox {
	t.Helper()
	need.Program(t, "systemd-analyze", "systemd")
	numbers, allowed := callNumbers(t), map[string]bool{}
	for _, value := range unitValues(t, unit, "SystemCallFilter") {
		deny := strings.HasPrefix(value, "~")
		for _, set := range strings.Fields(strings.TrimPrefix(value, "~")) {
			for call := range callsOf(t, set) {
				allowed[call] = !deny
			}
		}
	}
	s := sandbox{Writable: writable}
	for call, ok := range allowed {
		if number, here := numbers[call]; ok && here {
			s.Calls = append(s.Calls, number)
		}
	}
	slices.Sort(s.Calls)
	families := map[string]uint32{"AF_INET": unix.AF_INET, "AF_INET6": unix.AF_INET6, "AF_UNIX": unix.AF_UNIX, "AF_NETLINK": unix.AF_NETLINK}
	for _, name := range strings.Fields(unitValues(t, unit, "RestrictAddressFamilies")[0]) {
		s.Families = append(s.Families, families[name])
	}
	return s
}

// command is the program in the sandbox.
func (s sandbox) command(t *testing.T, program string, args ...string) *exec.Cmd {
	t.Helper()
	s.Program = append([]string{filepath.Join(programs, program)}, args...)
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), sandboxEnv+"="+string(text), "LANG=C.UTF-8")
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	return cmd
}

// enterSandbox restricts this process as text says and becomes the program.
// It returns only what went wrong.
func enterSandbox(text string) error {
	var s sandbox
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return err
	}
	runtime.LockOSThread() // what follows is of this thread, which then becomes the program
	if err := s.mounts(); err != nil {
		return err
	}
	return s.become()
}

// mounts is ProtectSystem=strict, ProtectHome=read-only, PrivateDevices=yes and
// the protection of the kernel's files: all read only but the state directory.
func (s sandbox) mounts() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make the mounts private: %w", err)
	}
	if err := unix.Mount(s.Writable, s.Writable, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("bind the state directory: %w", err)
	}
	if err := unix.Mount("tmpfs", "/dev", "tmpfs", unix.MS_NOSUID, "mode=755"); err != nil {
		return fmt.Errorf("mount private devices: %w", err)
	}
	for name, minor := range map[string]uint32{"null": 3, "zero": 5, "full": 7, "random": 8, "urandom": 9} {
		path := "/dev/" + name
		if err := unix.Mknod(path, unix.S_IFCHR|0o666, int(unix.Mkdev(1, minor))); err != nil {
			return fmt.Errorf("make %s: %w", path, err)
		}
		if err := os.Chmod(path, 0o666); err != nil {
			return err
		}
	}
	if err := setMount("/", unix.AT_RECURSIVE, unix.MOUNT_ATTR_RDONLY, 0); err != nil {
		return fmt.Errorf("make everything read only: %w", err)
	}
	if err := setMount(s.Writable, 0, 0, unix.MOUNT_ATTR_RDONLY); err != nil {
		return fmt.Errorf("make the state directory writable: %w", err)
	}
	return nil
}

// setMount is mount_setattr(2).
func setMount(path string, flags int, set, clear uint64) error {
	name, err := unix.BytePtrFromString(path)
	if err != nil {
		return err
	}
	attr := unix.MountAttr{Attr_set: set, Attr_clr: clear}
	dir := unix.AT_FDCWD
	if _, _, e := unix.Syscall6(unix.SYS_MOUNT_SETATTR, uintptr(dir), uintptr(unsafe.Pointer(name)), uintptr(flags), uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0); e != 0 {
		return e
	}
	return nil
}

// become gives up every right and execs.
func (s sandbox) become() error {
	for c := uintptr(0); c <= unix.CAP_LAST_CAP; c++ {
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0); err != nil && err != unix.EINVAL {
			return fmt.Errorf("drop capability %d: %w", c, err)
		}
	}
	for _, call := range [][4]uintptr{{unix.SYS_SETGROUPS, 0, 0, 0}, {unix.SYS_SETRESGID, sandboxUser, sandboxUser, sandboxUser}, {unix.SYS_SETRESUID, sandboxUser, sandboxUser, sandboxUser}} {
		if _, _, e := unix.RawSyscall(call[0], call[1], call[2], call[3]); e != 0 {
			return fmt.Errorf("become user %d: %w", sandboxUser, e)
		}
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("give up new privileges: %w", err)
	}
	// MemoryDenyWriteExecute=; kernels before 6.3 do not have it.
	if err := unix.Prctl(unix.PR_SET_MDWE, unix.PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0); err != nil && err != unix.EINVAL {
		return fmt.Errorf("deny memory that is written and executed: %w", err)
	}
	code, err := bpf.Assemble(s.filter())
	if err != nil {
		return err
	}
	filter := make([]unix.SockFilter, len(code))
	for i, c := range code {
		filter[i] = unix.SockFilter{Code: c.Op, Jt: c.Jt, Jf: c.Jf, K: c.K}
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	argv := make([]*byte, len(s.Program)+1)
	for i, a := range s.Program {
		if argv[i], err = unix.BytePtrFromString(a); err != nil {
			return err
		}
	}
	env := make([]*byte, 2)
	env[0], _ = unix.BytePtrFromString("LANG=C.UTF-8")
	if _, _, e := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&program))); e != 0 {
		return fmt.Errorf("install the filter of system calls: %w", e)
	}
	_, _, e := unix.RawSyscall(unix.SYS_EXECVE, uintptr(unsafe.Pointer(argv[0])), uintptr(unsafe.Pointer(&argv[0])), uintptr(unsafe.Pointer(&env[0])))
	return fmt.Errorf("exec %s: %w", s.Program[0], e)
}

// Offsets in struct seccomp_data.
const (
	dataCall = 0
	dataArch = 4
	dataArg0 = 16
)

// filter is SystemCallFilter=, SystemCallArchitectures=native,
// RestrictAddressFamilies= and RestrictNamespaces= as systemd builds them.
func (s sandbox) filter() []bpf.Instruction {
	const allow, deny, kill, none = unix.SECCOMP_RET_ALLOW, unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM), uint32(unix.SECCOMP_RET_KILL_PROCESS), unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
	const namespaces = unix.CLONE_NEWNS | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWCGROUP
	f := []bpf.Instruction{
		bpf.LoadAbsolute{Off: dataArch, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.AUDIT_ARCH_X86_64, SkipTrue: 1},
		bpf.RetConstant{Val: kill},
		bpf.LoadAbsolute{Off: dataCall, Size: 4},
		// clone3 hides its flags in memory: callers fall back to clone.
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.SYS_CLONE3, SkipTrue: 1},
		bpf.RetConstant{Val: none},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.SYS_CLONE, SkipTrue: 3},
		bpf.LoadAbsolute{Off: dataArg0, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpBitsNotSet, Val: namespaces, SkipTrue: 1},
		bpf.RetConstant{Val: deny},
		bpf.LoadAbsolute{Off: dataCall, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.SYS_SOCKET, SkipTrue: uint8(2 + len(s.Families))},
		bpf.LoadAbsolute{Off: dataArg0, Size: 4},
	}
	for i, family := range s.Families {
		f = append(f, bpf.JumpIf{Cond: bpf.JumpEqual, Val: family, SkipTrue: uint8(len(s.Families) - i)})
	}
	f = append(f, bpf.RetConstant{Val: deny}, bpf.LoadAbsolute{Off: dataCall, Size: 4})
	for _, call := range s.Calls {
		f = append(f, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: call, SkipTrue: 1}, bpf.RetConstant{Val: allow})
	}
	return append(f, bpf.RetConstant{Val: deny})
}

// TestExposure: systemd's own measure of what the services could do.
func TestExposure(t *testing.T) {
	t.Parallel()
	need.Program(t, "systemd-analyze", "systemd")
	for unit, most := range map[string]float64{agentUnit: 1.5, collectorUnit: 2.0} {
		out, err := exec.Command("systemd-analyze", "security", "--offline=true", "--no-pager", unit).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v: %s", unit, err, out)
		}
		m := regexp.MustCompile(`Overall exposure level for \S+: ([0-9.]+)`).FindStringSubmatch(string(out))
		if m == nil {
			t.Fatalf("%s: no level in: %s", unit, tail(string(out), 3))
		}
		level, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: exposure %.1f, at most %.1f", filepath.Base(unit), level, most)
		if level > most {
			t.Errorf("%s: exposure %.1f, want at most %.1f", unit, level, most)
		}
	}
}

// openTo lets the user of the sandbox in.
func openTo(t *testing.T, dir string) {
	t.Helper()
	if err := exec.Command("chown", "-R", fmt.Sprintf("%d:%d", sandboxUser, sandboxUser), dir).Run(); err != nil {
		t.Fatal(err)
	}
	for up := dir; up != "/"; up = filepath.Dir(up) {
		if info, err := os.Stat(up); err == nil && info.Mode().Perm()&0o001 == 0 && up != dir {
			if err := os.Chmod(up, info.Mode().Perm()|0o011); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestHardenedAgent: under the restrictions of its unit the agent measures,
// checks and delivers just as without them.
func TestHardenedAgent(t *testing.T) {
	t.Parallel()
	need.Root(t, "going into a sandbox")
	s := startSandboxSite(t)
	restricted := sandboxOf(t, agentUnit, s.data)
	t.Logf("%d system calls and %d families of sockets are allowed", len(restricted.Calls), len(restricted.Families))

	// The same table of sources and checks, inside and outside.
	outside, _, status := runOnce(t, "plimsoll-agent", "check", "--config", s.config)
	check := restricted.command(t, "plimsoll-agent", "check", "--config", s.config)
	out, err := check.CombinedOutput()
	inside := string(out)
	t.Logf("inside:\n%s", inside)
	if check.ProcessState == nil || check.ProcessState.ExitCode() != status {
		t.Errorf("check ends with %v in the sandbox, with status %d outside", err, status)
	}
	states := func(table string) (rows []string) {
		for _, line := range strings.Split(table, "\n") {
			if cells := regexp.MustCompile(` {2,}`).Split(strings.TrimSpace(line), -1); len(cells) >= 2 && cells[0] != "WHAT" {
				rows = append(rows, cells[0]+" "+cells[1])
			}
		}
		return rows
	}
	if in, outs := states(inside), states(outside); !slices.Equal(in, outs) || len(in) < 26 {
		t.Errorf("in the sandbox sources and checks are\n%s\noutside\n%s", strings.Join(in, "\n"), strings.Join(outs, "\n"))
	}

	// And it runs: it keeps its data, delivers, and answers its status.
	log := &lockedBuffer{}
	agent := restricted.command(t, "plimsoll-agent", "run", "--config", s.config)
	agent.Stdout, agent.Stderr = log, log
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = agent.Process.Signal(syscall.SIGTERM)
		if err := agent.Wait(); err != nil {
			t.Errorf("the agent in the sandbox: %v\n%s", err, tail(log.String(), 20))
		}
	})
	waitFor(t, "samples of the agent in the sandbox", 20*time.Second, func() bool {
		points, err := s.tryQuery(`node_filesystem_readonly{mountpoint="/"}`, time.Time{})
		return err == nil && len(points) == 1
	})
	// What the sandbox makes read only is no property of the host.
	if p := s.query(`node_filesystem_readonly{mountpoint="/"}`, time.Time{}); p[0].Value[1] != "0" {
		t.Errorf("the root file system is told to be read only: %v", p[0].Value)
	}
	if p := s.query(`sum(plimsoll_source_success == 0)`, time.Time{}); len(p) != 0 {
		t.Errorf("%v sources fail in the sandbox", p[0].Value)
	}
	if out, errs, _ := runOnce(t, "plimsoll-agent", "status", "--data", s.data); !strings.Contains(out, "measuring?   yes") || !strings.Contains(out, "delivering?  yes") {
		t.Errorf("status: %s%s", out, errs)
	}
}

// sandboxSite is a collector outside and an enrolled agent's files.
type sandboxSite struct {
	site
	data, config string
}

func startSandboxSite(t *testing.T) sandboxSite {
	t.Helper()
	listen, agents := freeAddr(t), freeAddr(t)
	s := sandboxSite{site: site{t, "http://" + listen}, data: t.TempDir()}
	start(t, "plimsoll-collector", "run", "--data", t.TempDir(), "--listen", listen, "--listen-agents", agents)
	waitFor(t, "the collector healthy", 10*time.Second, func() bool { status, _ := s.get("/-/healthy"); return status == 200 })
	s.config = filepath.Join(s.data, "agent.yaml")
	// One check of each kind.
	text := fmt.Sprintf(`interval: 1s
listen: off
data: %[1]s
checks:
  - {component: page, http: %[2]q}
  - {component: port, tcp: %[3]q}
  - {component: certificate, tls: %[4]q, server_name: collector.plimsoll, ca: %[5]q, expect: {warning: 1m}}
  - {component: name, dns: localhost, server: %[3]q}
  - {component: ping, icmp: 127.0.0.1}
  - {component: program, process: plimsoll-collec}
  - {component: unit, unit: plimsoll-agent.service}
  - {component: backup, file: %[6]q, expect: {max_age: 1h, min_size: 10}}
  - {component: script, script: [/bin/sh, -c, "test -r /proc/1/mounts"]}
`, s.data, s.base+"/-/healthy", listen, agents, filepath.Join(s.data, "identity", "ca.pem"), s.config)
	if err := os.WriteFile(s.config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, errs, status := runOnce(t, "plimsoll-agent", "enrol", "--collector", agents, "--token", s.token(), "--data", s.data); status != 0 {
		t.Fatalf("enrol: %s %s", out, errs)
	}
	openTo(t, s.data)
	openTo(t, programs)
	return s
}
