package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/plimsoll/plimsoll/agent/check"
	"github.com/plimsoll/plimsoll/agent/sample"
	"github.com/plimsoll/plimsoll/agent/source"
	"github.com/plimsoll/plimsoll/internal/identity"
)

// check tries all that the configuration asks for once.
func (c Command) check(ctx context.Context, args []string) int {
	f := c.flags("check", "Reads the configuration, tries each source and each check once, and prints a table.\nExit status: 0 all well, 1 something failed, 2 the configuration is wrong.")
	path := f.String("config", DefaultConfig, "configuration `file`; the default one need not exist")
	data := f.String("data", "", "data `directory`, instead of the configuration's")
	if status, done := c.parse(f, args); done {
		return status
	}
	cfg, ok := c.config(f, *path, *data)
	if !ok {
		return exitBad
	}
	t := &table{out: tabwriter.NewWriter(c.Stdout, 0, 8, 2, ' ', 0)}
	t.row("WHAT", "STATE", "TOOK", "FOUND")
	trySources(ctx, &cfg, t)
	tryChecks(ctx, &cfg, t)
	tryIdentity(&cfg, t)
	if err := t.out.Flush(); err != nil {
		fmt.Fprintln(c.Stderr, "plimsoll-agent check: write the table:", err)
		return exitFailed
	}
	if t.failed {
		return exitFailed
	}
	return exitOK
}

// table is what check prints.
type table struct {
	out    *tabwriter.Writer
	failed bool
}

func (t *table) row(cells ...string) {
	// A failing write comes back from Flush.
	_, _ = io.WriteString(t.out, strings.Join(cells, "\t")+"\n")
}

func short(d time.Duration) string { return fmt.Sprintf("%.1fms", d.Seconds()*1000) }

func trySources(ctx context.Context, cfg *Config, t *table) {
	for _, s := range source.All(cfg.roots()) {
		if e := cfg.Sources[s.Name].Enabled; e != nil && !*e {
			t.row("source "+s.Name, "off", "", "")
			continue
		}
		var set sample.Set
		begin := time.Now()
		err := s.Collect(ctx, &set)
		state, found := "ok", fmt.Sprintf("%d series", set.Len())
		switch {
		case errors.Is(err, source.ErrNothing):
			state, found = "none", err.Error()
		case err != nil:
			state, found = "failed", err.Error()
			t.failed = true
		}
		t.row("source "+s.Name, state, short(time.Since(begin)), found)
	}
}

func tryChecks(ctx context.Context, cfg *Config, t *table) {
	known, err := readBeats(cfg.Data)
	if err != nil {
		t.row("heartbeats", "failed", "", err.Error())
		t.failed = true
	}
	cfg.beats = check.NewBeats(known, time.Now())
	own, err := cfg.makeChecks()
	if err != nil { // was refused with the configuration
		t.row("checks", "failed", "", err.Error())
		t.failed = true
	}
	for _, c := range own {
		tryCheck(ctx, c, "check ", t)
	}
	if !cfg.Assigned.Enabled {
		return
	}
	kept, err := readKept(cfg.Data)
	if errors.Is(err, fs.ErrNotExist) {
		return // nothing was assigned so far
	}
	var taken []*check.Check
	var refused []refusedCheck
	if err == nil {
		taken, refused, err = cfg.readAssigned(kept.Body)
	}
	if err != nil {
		t.row("checks of the collector", "failed", "", err.Error())
		t.failed = true
	}
	for _, c := range taken {
		tryCheck(ctx, c, "assigned ", t)
	}
	for _, r := range refused {
		t.row("assigned "+r.component+"/"+r.name, "refused", "", r.reason)
		t.failed = true
	}
}

// tryCheck makes one check once.
func tryCheck(ctx context.Context, c *check.Check, whose string, t *table) {
	r := c.Probe(ctx)
	found := r.Reason
	switch {
	case found != "":
	case r.Status > 0:
		found = fmt.Sprintf("answered %d", r.Status)
	case !r.ChainExpiry.IsZero():
		found = "certificate until " + r.ChainExpiry.UTC().Format("2006-01-02")
	}
	state := r.State.String()
	switch {
	case c.Heartbeat != "" && r.State == check.Unknown:
		state = "waits" // the running agent hears it
	case r.State != check.Up:
		t.failed = true
	}
	t.row(whose+c.Component+"/"+c.Name, state, short(r.Duration), found)
}

// tryIdentity tells where to; not to be enrolled yet is no failure of the configuration.
func tryIdentity(cfg *Config, t *table) {
	if url := cfg.RemoteWrite.URL; url != "" {
		t.row("remote_write", "ok", "", "delivers to "+url+" and to no collector")
		return
	}
	id, err := identity.Load(cfg.IdentityDir())
	switch {
	case errors.Is(err, identity.ErrNotEnrolled):
		t.row("identity", "none", "", "not enrolled yet: \"plimsoll-agent enrol\" with a token of the collector")
	case err != nil:
		t.row("identity", "failed", "", err.Error())
		t.failed = true
	default:
		to := strings.Join(cfg.Collector.Addresses, ", ")
		if to == "" {
			to = id.Collector
		}
		t.row("identity", "ok", "", fmt.Sprintf("%s, delivers to %s, certificate until %s", id.Instance, to, id.Expires.UTC().Format("2006-01-02")))
	}
}
