package agent

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/plimsoll/plimsoll/internal/identity"
	"github.com/plimsoll/plimsoll/internal/settings"
)

// DefaultConfig is read when no configuration is named; it need not exist.
const DefaultConfig = "/etc/plimsoll/agent.yaml"

// Exit statuses of the command.
const (
	exitOK     = 0
	exitFailed = 1
	exitBad    = 2 // wrong arguments or configuration
)

const usage = `plimsoll-agent measures this host and delivers to a Plimsoll collector.

usage: plimsoll-agent COMMAND [FLAGS]

  run      measure and deliver until stopped
  check    try the configuration, each source and each check once; print a table
  status   ask the running agent: measuring? delivering? clock right?
  beat     tell the running agent that a job ran, or run it and tell how it went
  enrol    get this host's certificate from a collector with a one-time token
  version  print the version

"plimsoll-agent COMMAND --help" lists the flags of a command.
`

// Command is the command line of the agent: what main calls.
type Command struct {
	Version        string
	Stdout, Stderr io.Writer
	StopReason     func() string // why ctx ended
}

// Run runs one command and returns the exit status: 0 well, 1 failed, 2 wrong
// arguments or configuration.
func (c Command) Run(ctx context.Context, args []string) int {
	if len(args) == 0 {
		fmt.Fprint(c.Stderr, usage)
		return exitBad
	}
	switch name, rest := args[0], args[1:]; name {
	case "run":
		return c.run(ctx, rest)
	case "check":
		return c.check(ctx, rest)
	case "status":
		return c.status(ctx, rest)
	case "beat":
		return c.beat(ctx, rest)
	case "enrol":
		return c.enrol(ctx, rest)
	case "version", "--version", "-version":
		fmt.Fprintln(c.Stdout, c.Version)
		return exitOK
	case "help", "--help", "-help", "-h":
		fmt.Fprint(c.Stdout, usage)
		return exitOK
	default:
		near := settings.DidYouMean(name, []string{"run", "check", "status", "beat", "enrol", "version"})
		fmt.Fprintf(c.Stderr, "plimsoll-agent: unknown command %q %s\n\n%s", name, near, usage)
		return exitBad
	}
}

// flags makes the flag set of a command with its help.
func (c Command) flags(name, purpose string) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(c.Stderr)
	f.Usage = func() {
		fmt.Fprintf(f.Output(), "usage: plimsoll-agent %s [FLAGS]\n\n%s\n\n", name, purpose)
		f.VisitAll(func(one *flag.Flag) {
			fmt.Fprintf(f.Output(), "  --%s\n        %s", one.Name, one.Usage)
			if one.DefValue != "" {
				fmt.Fprintf(f.Output(), " (default %s)", one.DefValue)
			}
			fmt.Fprintln(f.Output())
		})
	}
	return f
}

// parse reads the arguments; done means that the status is final.
func (c Command) parse(f *flag.FlagSet, args []string) (status int, done bool) {
	for _, a := range args {
		if a == "--help" || a == "-help" || a == "-h" {
			f.SetOutput(c.Stdout)
		}
	}
	switch err := f.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return exitOK, true
	case err != nil:
		return exitBad, true
	case f.NArg() > 0:
		fmt.Fprintf(c.Stderr, "plimsoll-agent %s: %q is not a flag; all arguments are flags\n", f.Name(), f.Arg(0))
		return exitBad, true
	}
	return exitOK, false
}

// config reads the configuration; ok false: its faults are printed.
func (c Command) config(f *flag.FlagSet, path, data string) (cfg Config, ok bool) {
	named := false
	f.Visit(func(one *flag.Flag) { named = named || one.Name == "config" })
	cfg, err := Load(path, named)
	var faults settings.Faults
	switch {
	case errors.As(err, &faults):
		fmt.Fprintln(c.Stderr, faults.Error())
		return cfg, false
	case err != nil:
		fmt.Fprintf(c.Stderr, "plimsoll-agent %s: %v\n", f.Name(), err)
		return cfg, false
	}
	if data != "" {
		cfg.Data = data
	}
	return cfg, true
}

func (c Command) run(ctx context.Context, args []string) int {
	f := c.flags("run", "Measures this host and delivers to the collector it is enrolled at.")
	path := f.String("config", DefaultConfig, "configuration `file`; the default one need not exist")
	data := f.String("data", "", "data `directory`, instead of the configuration's")
	if status, done := c.parse(f, args); done {
		return status
	}
	cfg, ok := c.config(f, *path, *data)
	if !ok {
		return exitBad
	}
	log := slog.New(slog.NewTextHandler(c.Stderr, nil))
	a, err := New(Options{Config: cfg, Version: c.Version, Log: log, StopReason: c.StopReason})
	if err == nil {
		err = a.Run(ctx)
	}
	if err != nil {
		fmt.Fprintln(c.Stderr, "plimsoll-agent:", err)
		return exitFailed
	}
	return exitOK
}

func (c Command) enrol(ctx context.Context, args []string) int {
	f := c.flags("enrol", "Makes this host's key, gets its certificate from the collector with a one-time token,\nand stores both in the data directory. It may be run twice.")
	path := f.String("config", DefaultConfig, "configuration `file`; the default one need not exist")
	data := f.String("data", "", "data `directory`, instead of the configuration's")
	token := f.String("token", "", "one-time `token`, made by \"plimsoll-collector enrol create\"")
	collector := f.String("collector", "", "`HOST:PORT` of the collector's listener for agents")
	name := f.String("hostname", "", "`name` to be listed under (default: this host's name)")
	if status, done := c.parse(f, args); done {
		return status
	}
	if *token == "" || *collector == "" {
		fmt.Fprintln(c.Stderr, "plimsoll-agent enrol: --token and --collector are needed; \"plimsoll-collector enrol create\" prints the whole line")
		return exitBad
	}
	cfg, ok := c.config(f, *path, *data)
	if !ok {
		return exitBad
	}
	if *name == "" {
		host, err := os.Hostname()
		if err != nil {
			fmt.Fprintf(c.Stderr, "plimsoll-agent enrol: read this host's name: %v; give it by --hostname\n", err)
			return exitFailed
		}
		*name = host
	}
	proxy, err := cfg.proxy()
	if err != nil {
		fmt.Fprintln(c.Stderr, "plimsoll-agent enrol:", err)
		return exitBad
	}
	id, err := identity.Enrol(ctx, identity.Request{
		Token: *token, Collector: *collector, Hostname: *name, Version: c.Version, Dir: cfg.IdentityDir(), Proxy: proxy,
	})
	if err != nil {
		fmt.Fprintln(c.Stderr, "plimsoll-agent enrol:", err)
		return exitFailed
	}
	fmt.Fprintf(c.Stdout, "enrolled as %s (%s) at %s; the certificate is good until %s\n", id.Instance, id.Host, *collector, id.Expires.UTC().Format("2006-01-02 15:04 UTC"))
	return exitOK
}
