package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/plimsoll/plimsoll/agent/check"
	"github.com/plimsoll/plimsoll/agent/fault"
	"github.com/plimsoll/plimsoll/agent/ship"
	"github.com/plimsoll/plimsoll/agent/source"
	"github.com/plimsoll/plimsoll/internal/journal"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// freeShare is how much of the free space of its disk the buffer may take.
const freeShare = 0.05

// maxReserve bounds what the buffer holds back for a full disk, bytes: hours
// of records even when everything older was delivered and nothing can be
// dropped. A small buffer holds back two of its segments.
const maxReserve = 4 << 20

// Options are what an agent needs.
type Options struct {
	Config  Config
	Version string
	Log     *slog.Logger
	Now     func() time.Time // nil: time.Now
	// StopReason says why Run's context ended; nil: "stopped".
	StopReason func() string
}

// Agent is one running agent.
type Agent struct {
	opt      Options
	started  time.Time
	buffer   *journal.Journal
	alive    *alive
	last     stamp // of the run before
	out      *recorder
	collect  *collector
	ship     *ship.Shipper
	assigned *assigned
	renew    *renewer
	listener net.Listener // nil: no metrics
	beats    *check.Beats
	close    []func() error
}

// New opens the data directory and the port of the agent's own metrics. What
// it opened is closed by Run, or by New itself when it fails.
func New(opt Options) (_ *Agent, err error) {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	a := &Agent{opt: opt, started: opt.Now()}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.shut())
		}
	}()
	c := &opt.Config
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, fmt.Errorf("make data directory: %w; run as a user who may write there, or set data: in the configuration", err)
	}
	if err := a.openBuffer(); err != nil {
		return nil, err
	}
	run, boot := newRun(), bootID(c.Roots.Proc)
	a.alive, a.last = openAlive(c.Data, run, boot)
	a.close = append(a.close, a.alive.close)
	known, err := readBeats(c.Data)
	if err != nil {
		opt.Log.Warn("heartbeats begin anew", "err", err)
	}
	c.beats = check.NewBeats(known, opt.Now())
	a.beats = c.beats
	checks, err := c.makeChecks()
	if err != nil {
		return nil, err
	}
	a.out = newRecorder(a.buffer, run, boot, a.clocks, opt.Log, opt.Now)
	if len(a.last.Untold) > 0 { // of a run that ended on a full disk
		a.out.lost = a.last.Untold
	}
	a.alive.lost = a.out.allUntold
	a.collect = newCollector(c, checks, a.out, opt.Log, opt.Now)
	a.ship, err = ship.New(ship.Options{
		Buffer: a.buffer, Dir: c.Data, Connect: a.connect, Clocks: a.clocks, SameClock: a.sameClock, Run: run,
		Version: opt.Version, Log: opt.Log, Now: opt.Now, InOrder: c.RemoteWrite.URL != "",
	})
	if err != nil {
		return nil, err
	}
	a.assigned = &assigned{
		cfg: c, own: checks, schedule: a.collect.schedule, get: a.ship.Get, note: a.out.note, log: opt.Log, now: opt.Now,
		asking: fault.New(opt.Log, opt.Now, "the collector's checks are taken up again"),
	}
	a.renew = newRenewer(renewOptions{Dir: c.IdentityDir(), Connect: a.connect, Taken: a.ship.Reconnect, Version: opt.Version, Log: opt.Log, Now: opt.Now})
	a.collect.own = a.figures()
	return a, a.listen()
}

func (a *Agent) openBuffer() error {
	c := &a.opt.Config
	buffer, recovery, err := journal.Open(journal.Options{
		Dir: filepath.Join(c.Data, "buffer"), Now: a.steady, WhenFull: journal.DropOldest,
		MaxBytes: int64(c.Buffer.MaxBytes), MaxAge: c.Buffer.MaxAge.Std(), MaxFreeShare: freeShare,
		ReserveBytes: min(maxReserve, int64(c.Buffer.MaxBytes)/32), Rescue: rescue,
	})
	if errors.Is(err, journal.ErrLocked) {
		return fmt.Errorf("open buffer in %s: %w; stop the other agent, or give this one another data directory", c.Data, err)
	}
	if err != nil {
		return fmt.Errorf("open buffer: %w", err)
	}
	if recovery.Records > 0 {
		a.opt.Log.Warn("the buffer was damaged; what could not be read is put aside", "records", recovery.Records, "data", c.Data)
	}
	a.buffer = buffer
	a.close = append(a.close, buffer.Close)
	return nil
}

func (a *Agent) listen() error {
	addr := a.opt.Config.Listen
	if addr == "" || addr == "off" {
		return nil
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("listen for the agent's own metrics: %w; another agent may be running: set listen: to another address, or to off", err)
	}
	a.listener = l
	return nil
}

// Addr is where the agent's own metrics are; empty when they are off.
func (a *Agent) Addr() string {
	if a.listener == nil {
		return ""
	}
	return a.listener.Addr().String()
}

// sameClock tells whether a record was made by this very run, or by another in
// this boot where the kernel has a clock of the boot.
func (a *Agent) sameClock(e *wire.Envelope) bool {
	return e.Run == a.out.run || e.Boot == a.out.boot && e.Boot != ""
}

// steady is the time by a clock that nobody sets while the agent runs: the
// buffer's bound of age must not take a set clock for the passing of time.
func (a *Agent) steady() time.Time { return a.started.Add(time.Since(a.started)) }

func (a *Agent) clocks() wire.Clocks { return clocks(a.opt.Now(), a.started) }

// Run measures and delivers until ctx ends, leaves the marker of a clean stop
// and closes everything. The error is of this host's disk or port, never of
// the collector.
func (a *Agent) Run(ctx context.Context) error {
	a.opt.Log.Info("agent started", "version", a.opt.Version, "data", a.opt.Config.Data, "interval", a.opt.Config.Interval.String(),
		"sources", len(a.collect.sources), "checks", len(a.opt.Config.Checks), "metrics", a.Addr())
	// The note before the stamp: a run that is killed between the two has told
	// how long nothing was measured before it; the other way round nobody would.
	if err := a.out.start(wire.Note{At: a.opt.Now().UnixMilli(), Start: a.startNote()}); err != nil {
		return errors.Join(fmt.Errorf("note the start: %w", err), a.shut())
	}
	all, ctx := errgroup.WithContext(ctx)
	all.Go(func() error { return a.collect.run(ctx) })
	all.Go(func() error { a.collect.schedule.Run(ctx); return nil })
	if a.opt.Config.Assigned.Enabled && a.opt.Config.RemoteWrite.URL == "" {
		a.assigned.load()
		all.Go(func() error { a.assigned.run(ctx); return nil })
	}
	all.Go(func() error { return a.ship.Run(ctx) })
	all.Go(func() error { return a.stampAlive(ctx) })
	all.Go(func() error { return a.serveStatus(ctx) })
	all.Go(func() error { a.keepBeats(ctx); return nil })
	if a.opt.Config.RemoteWrite.URL == "" {
		all.Go(func() error { a.renew.run(ctx); return nil })
	}
	if a.listener != nil {
		all.Go(func() error { return a.serveMetrics(ctx) })
	}
	err := all.Wait()
	reason := "stopped"
	if err != nil {
		reason = err.Error()
	} else if a.opt.StopReason != nil {
		reason = a.opt.StopReason()
		asked, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		if source.Stopping(asked, a.opt.Config.roots().RootFS) {
			reason = wire.ReasonShutdown
		}
		cancel()
	}
	err = errors.Join(err, a.collect.close(), a.alive.stop(a.opt.Now(), reason), a.shut())
	a.opt.Log.Info("agent stopped", "reason", reason, "collections", a.collect.figures().collections, "delivered", a.ship.Stats().Delivered, "missed", a.out.missedRecords())
	return err
}

// startNote tells how the run before ended. Its last sign of life is its stamp
// or its last record, whichever is later.
func (a *Agent) startNote() *wire.StartNote {
	n := &wire.StartNote{
		Version: a.opt.Version, LastRun: a.last.Run, LastBoot: a.last.Boot,
		LastAlive: a.last.At, CleanStop: a.last.Clean, Reason: a.last.Reason,
	}
	if record := a.lastRecord(); record > n.LastAlive {
		// A marker is the last thing a run leaves. What came behind it is of
		// another run, which left none.
		n.LastAlive, n.CleanStop, n.Reason = record, false, ""
	}
	if booted := source.BootTime(a.opt.Config.roots()); !booted.IsZero() {
		n.BootedAt = booted.UnixMilli()
	}
	return n
}

// lastRecord is when the newest record of the buffer was written, in Unix ms; 0: there is none.
func (a *Agent) lastRecord() int64 {
	segments := a.buffer.Segments()
	if len(segments) == 0 || segments[len(segments)-1].LastAt.IsZero() {
		return 0
	}
	return segments[len(segments)-1].LastAt.UnixMilli()
}

func (a *Agent) stampAlive(ctx context.Context) error {
	well := fault.New(a.opt.Log, a.opt.Now, "the alive stamp is written again")
	ticker := time.NewTicker(stampEvery)
	defer ticker.Stop()
	for durable := true; ; durable = false { // the first one, fsynced, takes the file over from the last run
		if err := a.alive.write(a.opt.Now(), durable); err != nil {
			well.Fail("the alive stamp cannot be written", "err", err, "remedy", "see whether the data directory can be written")
		} else {
			well.OK()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// shut closes what New opened, in reverse.
func (a *Agent) shut() error {
	var all error
	if a.listener != nil {
		if err := a.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			all = err
		}
	}
	for i := len(a.close) - 1; i >= 0; i-- {
		all = errors.Join(all, a.close[i]())
	}
	a.close = nil
	return all
}
