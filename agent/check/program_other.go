//go:build !linux

package check

import (
	"context"
	"os"
	"os/exec"
)

// runGroup runs the program and kills it at the deadline; this system has no
// process group we could end, so what it started itself may live on.
func runGroup(ctx context.Context, cmd *exec.Cmd) (late bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if err := cmd.Start(); err != nil {
		return false, err
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() }) // fails only when it has ended
	err = cmd.Wait()
	late = !stop()
	if cmd.ProcessState == nil {
		return late, err
	}
	return late, nil
}

// signalOf: not told apart here.
func signalOf(*os.ProcessState) string { return "" }
