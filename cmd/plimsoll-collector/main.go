// Command plimsoll-collector receives what agents measured and turns it into
// outages, SLA figures, problem records and reports. See README.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	_ "time/tzdata" // calendars must come out right on a host without zone files

	"github.com/alecthomas/kong"

	"github.com/plimsoll/plimsoll/internal/settings"
)

// version is set by the linker: -ldflags "-X main.version=…".
var version = "dev"

// errExit ends the program with a status after everything was said already.
type errExit int

func (e errExit) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:])
	stop()
	os.Exit(status)
}

// run parses args and runs one command; 0 well, 1 failed, 2 bad input.
func run(ctx context.Context, args []string) int {
	var cli commands
	parser, err := kong.New(&cli, kong.Name(programName),
		kong.Description("Monitoring that can be signed: outages, SLA figures, problem records and reports, each defended down to the raw facts."),
		kong.UsageOnError(), kong.ConfigureHelp(kong.HelpOptions{Compact: true}), kong.Vars{"version": version})
	if err != nil {
		fmt.Fprintln(os.Stderr, "plimsoll-collector:", err)
		return 2
	}
	command, err := parser.Parse(understood(args))
	if err != nil {
		fmt.Fprintf(os.Stderr, "plimsoll-collector: %v\nplimsoll-collector --help lists the commands\n", err)
		return 2
	}
	command.BindTo(ctx, (*context.Context)(nil))
	err = command.Run()
	var exit errExit
	var faults settings.Faults
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return int(exit)
	case errors.As(err, &faults): // of a file a person wrote: it is named in each
		fmt.Fprintln(os.Stderr, faults.Error())
		return 2
	}
	fmt.Fprintln(os.Stderr, "plimsoll-collector:", withRemedy(err))
	return 1
}

// withRemedy puts one clear sentence before the errors of a full disk: the
// ledger, the journal and the authority each meet it in their own way.
func withRemedy(err error) error {
	// The ledger's driver has its own error, and goose hides its type.
	if errors.Is(err, syscall.ENOSPC) || strings.Contains(err.Error(), "database or disk is full") {
		return fmt.Errorf("no space is left on the disk of the data directory: free some, or name a directory elsewhere with --data; nothing that was acknowledged is lost (%w)", err)
	}
	return err
}
