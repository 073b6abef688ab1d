package check

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// runGroup runs the program as the leader of a process group and kills the
// whole group at its end or the deadline. The program is waited for without
// being reaped first: as long as it is a zombie its number, and so the
// group's, cannot be given to anybody else.
func runGroup(ctx context.Context, cmd *exec.Cmd) (late bool, err error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if err := cmd.Start(); err != nil {
		return false, err
	}
	pid := cmd.Process.Pid
	var killed sync.WaitGroup
	killed.Add(1)
	stop := context.AfterFunc(ctx, func() {
		defer killed.Done()
		_ = unix.Kill(-pid, unix.SIGKILL) // fails only when nobody is left
	})
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if !stop() {
		killed.Wait()
		late = true
	}
	_ = unix.Kill(-pid, unix.SIGKILL) // children it left behind
	if err := cmd.Wait(); cmd.ProcessState == nil {
		return late, err
	}
	return late, nil
}

// signalOf is the signal that ended the program, "" when it ended by itself.
func signalOf(state *os.ProcessState) string {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return status.Signal().String()
	}
	return ""
}
