package quickstart

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/plimsoll/plimsoll/agent"
	"github.com/plimsoll/plimsoll/collector"
	"github.com/plimsoll/plimsoll/internal/identity"
)

// Options are what the command line says.
type Options struct {
	Data         string // "" = the user's state directory
	Listen       string // pages, API, metrics; loopback only
	ListenAgents string
	ListenSample string
	Version      string
	Stdout       io.Writer // the story, warnings among it
	Demo         bool      // beside this host, the simulated months of two customers

	Program   string   // how a person calls this program in a shell
	Arguments []string // those it was started with
}

// Run starts all of it and blocks until ctx ends; then it stops cleanly, and
// the same call continues where it stopped.
func Run(ctx context.Context, o Options) error {
	if !collector.Loopback(o.Listen) {
		return fmt.Errorf("quickstart listens for people on loopback only, not on %s: start the collector with run, which serves others over TLS and asks for a login", o.Listen)
	}
	tell := newStory(o.Stdout)
	if o.Data == "" {
		dir, err := defaultData(os.Getenv)
		if err != nil {
			return err
		}
		o.Data = dir
		if o.Demo {
			o.Data += "-demo"
		}
	}
	dir, err := filepath.Abs(o.Data) // what is told must be right in any directory
	if err != nil {
		return fmt.Errorf("find the data directory: %w", err)
	}
	o.Data = dir
	// Before any port is tried: started twice, this says where the first one is.
	hold, err := collector.HoldData(o.Data)
	if err != nil {
		return err
	}
	defer func() { _ = hold.Release() }() // where the collector has not done it
	host, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("ask the host's name: %w", err)
	}
	tell.tell("Plimsoll %s watches this host, %s. Everything is kept in %s (--data changes that).", o.Version, host, o.Data)

	sample, err := StartSample(o.ListenSample)
	if err != nil {
		return fmt.Errorf("%w; name another address with --listen-sample", err)
	}
	defer func() { _ = sample.Stop() }()

	var played *demo
	if o.Demo {
		if played, err = openDemo(ctx, o.Data, time.Now().Truncate(time.Second), tell); err != nil {
			return err
		}
		defer played.stop()
		hold.Made = false // the story has told of it
	}
	if err := writeCatalogue(o, host, tell); err != nil {
		return err
	}
	config := collector.Defaults()
	config.Override(o.Data, o.Listen, o.ListenAgents)
	c, err := collector.New(collector.Options{
		Config: config, Version: o.Version, Log: tell.log(), Sample: sample, Hold: hold, Program: o.Program, Arguments: o.Arguments,
	})
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return c.Run(ctx) })
	group.Go(func() error { return runAgent(ctx, o, c, sample, tell) })
	if played != nil {
		group.Go(func() error { return played.live(ctx, nearby(c.AgentsAddr())) })
		group.Go(func() error { return catchUp(ctx, c.URL(), tell) })
	}
	group.Go(func() error { return announce(ctx, c.URL(), c.Access(), tell) })
	group.Go(func() error { return follow(ctx, c, tell) })
	err = group.Wait()
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	if err == nil {
		tell.tell("Stopped cleanly. The same command continues here.")
	}
	return err
}

func writeCatalogue(o Options, host string, tell story) error {
	name := filepath.Join(o.Data, "catalogue.yaml")
	now := time.Now().Truncate(time.Second)
	of := found{Host: host, Zone: localZone(os.Getenv), At: now}
	if o.Demo {
		of.Demo = demoCatalogue(now)
	}
	made, err := writeOnce(name, catalogueText(of))
	if err != nil {
		return fmt.Errorf("write the first catalogue: %w", err)
	}
	if made {
		tell.tell("Made a catalogue of what is here: this host, its file systems, this collector's page and a sample page: %s", name)
	} else {
		tell.tell("Using the catalogue %s as you left it.", name)
	}
	return nil
}

// runAgent lets this host in by a one-time token as any other host, once,
// and then measures and delivers.
func runAgent(ctx context.Context, o Options, c *collector.Collector, sample *Sample, tell story) error {
	dir := filepath.Join(o.Data, "agent")
	identityDir := filepath.Join(dir, "identity")
	// A certificate that ended too long ago to be renewed is as none: here no
	// person is needed to let the host in again.
	if id, err := identity.Load(identityDir); err != nil || time.Now().After(id.Expires.Add(identity.Grace)) {
		token, err := c.EnrolToken(ctx, Customer, time.Hour)
		if err != nil {
			return fmt.Errorf("make a token for this host: %w", err)
		}
		host, err := os.Hostname()
		if err != nil {
			return fmt.Errorf("ask the host's name: %w", err)
		}
		id, err := identity.Enrol(ctx, identity.Request{Token: token.Token, Collector: nearby(c.AgentsAddr()), Hostname: host, Version: o.Version, Dir: identityDir})
		if err != nil {
			return fmt.Errorf("enrol this host: %w", err)
		}
		tell.tell("This host enrolled as %s: a one-time token, a key made here, a certificate of the collector's own authority.", id.Instance)
	}
	configFile := filepath.Join(o.Data, "agent.yaml")
	at := addresses{componentPage: c.URL() + "/-/healthy", componentSample: "http://" + sample.Addr() + "/"}
	if _, err := writeOnce(configFile, agentText(at[componentPage], at[componentSample])); err != nil {
		return fmt.Errorf("write the agent's configuration: %w", err)
	}
	told, err := at.follow(o.Data)
	if err != nil {
		return fmt.Errorf("let the checks follow today's addresses: %w", err)
	}
	for _, line := range told {
		tell.tell("%s", line)
	}
	config, err := agent.Load(configFile, true)
	if err != nil {
		return err
	}
	config.Data = dir
	config.Collector.Addresses = []string{nearby(c.AgentsAddr())}
	a, err := agent.New(agent.Options{Config: config, Version: o.Version, Log: tell.log()})
	if err != nil {
		return err
	}
	tell.tell("Its agent measures every %s, keeps that on disk, and delivers it over TLS with both sides proven.", config.Interval)
	return a.Run(ctx)
}

// nearby is a bound address as this host reaches it: on loopback where every
// address is bound.
func nearby(bound string) string {
	addr, err := netip.ParseAddrPort(bound)
	if err != nil || !addr.Addr().IsUnspecified() {
		return bound
	}
	loopback := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	if addr.Addr().Is6() {
		loopback = netip.IPv6Loopback()
	}
	return netip.AddrPortFrom(loopback, addr.Port()).String()
}

// announce prints the address once the first page really answers.
func announce(ctx context.Context, address, access string, tell story) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/-/healthy", http.NoBody)
		if err != nil {
			return err
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				tell.tell("The first page is ready: %s   (%s; Ctrl-C stops)", address, access)
				tell.tell("Try it: stop the sample page there, and watch an outage being born, here and on the page.")
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// catchUp tells how far the collector has read the history, and when the
// figures are all there.
func catchUp(ctx context.Context, address string, tell story) error {
	for told := ""; ctx.Err() == nil; {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/-/ready", http.NoBody)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			text, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				tell.tell("The months are all there: %s", address)
				return nil
			}
			if now := strings.TrimSpace(string(text)); now != told {
				told = now
				tell.tell("Reading the history: %s.", now)
			}
		}
		if !sleepUntil(ctx, time.Now().Add(2*time.Second)) {
			return nil
		}
	}
	return nil
}
