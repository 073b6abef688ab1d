// Command plimsoll-agent measures a host and delivers to a Plimsoll collector.
// See README.md and package agent.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/plimsoll/plimsoll/agent"
)

// version is set by the linker: -ldflags "-X main.version=…".
var version = "dev"

// memoryLimit is what the garbage collector keeps the agent's memory below,
// unless GOMEMLIMIT says otherwise, in bytes. A limit that is too small costs
// CPU, never a failure.
const memoryLimit = 12 << 20

func main() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	ctx, stop := context.WithCancelCause(context.Background())
	go func() {
		stop(stopped((<-signals).String()))
		signal.Stop(signals) // a second signal ends the program at once
	}()
	command := agent.Command{Version: version, Stdout: os.Stdout, Stderr: os.Stderr, StopReason: func() string { return context.Cause(ctx).Error() }}
	os.Exit(command.Run(ctx, os.Args[1:]))
}

// stopped is why the agent ends: the signal's name.
type stopped string

func (s stopped) Error() string { return "stopped by signal " + string(s) }
