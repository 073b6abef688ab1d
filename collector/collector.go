package collector

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/closing"
	"github.com/plimsoll/plimsoll/collector/correction"
	"github.com/plimsoll/plimsoll/collector/damage"
	"github.com/plimsoll/plimsoll/collector/entered"
	"github.com/plimsoll/plimsoll/collector/figures"
	"github.com/plimsoll/plimsoll/collector/fold"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/maintenance"
	"github.com/plimsoll/plimsoll/collector/people"
	"github.com/plimsoll/plimsoll/collector/receive"
	"github.com/plimsoll/plimsoll/collector/series"
	"github.com/plimsoll/plimsoll/collector/words"
	"github.com/plimsoll/plimsoll/internal/identity"
	"github.com/plimsoll/plimsoll/internal/journal"
)

// Sample is the small service of quickstart that a newcomer may stop.
type Sample interface {
	Addr() string
	Running() bool
	Start() error
	Stop() error
}

// Options of a collector. Config and Log are needed.
type Options struct {
	Config  Config
	Version string
	Log     *slog.Logger
	Now     func() time.Time // nil: time.Now
	Sample  Sample           // nil outside of quickstart
	Hold    *Hold            // Config.Data, taken already; nil: New takes it
	Stdout  io.Writer        // where a set-up link is printed; nil: os.Stdout

	// Program is how a person calls this program in a shell; plimsoll-collector where empty.
	Program string
	// Arguments are those it was started with; none: run on Config.Data.
	Arguments []string
}

// Collector is everything between the agents' port and the people's.
type Collector struct {
	opt       Options
	undo      undo
	catalogue atomic.Pointer[version]
	reload    reloading
	registry  *prometheus.Registry
	demo      *Demonstration // nil: the data are real

	journal *journal.Journal
	ledger  *ledger.Ledger
	ca      *identity.CA
	receive *receive.Receiver
	series  *series.Store
	damage  *damage.List
	promql  *series.PromQL
	fold    *fold.Fold
	figures *figures.Engine
	gaveUp  atomic.Int64 // Unix ms when a question waited for the series in vain
	closing *closing.Book
	judge   *Judge

	work        *maintenance.Desk
	corrections *correction.Desk
	values      *entered.Desk
	decided     atomic.Pointer[decided]

	words  words.Shelf
	people net.Listener
	tls    *tls.Config // nil: plain HTTP, on loopback alone
	door   *people.Door
	host   net.Listener // the socket of the host's administrator; nil where it cannot be
	pages  http.Handler
}

// Run opens a collector and serves until ctx ends. While the ledger or the
// certificate authority is damaged it waits for repair, and its page says so.
func Run(ctx context.Context, opt Options) error {
	c, err := open(ctx, opt)
	if errors.Is(err, context.Canceled) {
		return nil // told to stop while it waited
	}
	if err != nil {
		return err
	}
	opt.Log.Info("collector started", "version", opt.Version, "pages", c.URL(), "agents", c.AgentsAddr(), "data", opt.Config.Data)
	err = c.Run(ctx)
	if err == nil {
		opt.Log.Info("collector stopped cleanly")
	}
	return err
}

// New opens the data directory, everything in it, and both ports. What was
// opened is closed by Run, or here when something cannot be opened.
func New(opt Options) (_ *Collector, err error) {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Program == "" {
		opt.Program = "plimsoll-collector"
	}
	c := &Collector{opt: opt, registry: prometheus.NewRegistry()}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.undo.all())
		}
	}()
	for _, step := range [...]func() error{c.refuseOpenDoor, c.openData, c.openDemonstration, c.openPeople, c.openCatalogue, c.openLedger, c.openDoor, c.openJournal, c.openReceive, c.openDamage, c.openSeries, c.openFold, c.openReload, c.openPages} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	if err := c.opt.Hold.say(c.URL()); err != nil {
		return nil, fmt.Errorf("write the page's address beside the lock: %w", err)
	}
	return c, nil
}

// URL is where people find the first page.
func (c *Collector) URL() string {
	if c.tls != nil {
		return "https://" + reachable(c.people.Addr().String())
	}
	return "http://" + c.people.Addr().String()
}

// AgentsAddr is the host:port agents deliver to.
func (c *Collector) AgentsAddr() string { return c.receive.Addr().String() }

// refuseOpenDoor refuses a configuration that lets everybody in, before anything is made.
func (c *Collector) refuseOpenDoor() error {
	if c.opt.Config.Login == loginNever && !Loopback(c.opt.Config.Listen) {
		return fmt.Errorf("refused to listen for people on %s with login: never: anybody who reaches that address could change and read everything; leave login out, or listen on 127.0.0.1", c.opt.Config.Listen)
	}
	return nil
}

func (c *Collector) openPeople() (err error) {
	if c.people, err = listen(c.opt.Config.Listen, "--listen"); err != nil {
		return err
	}
	c.undo.add("the pages' port", func() error {
		if err := c.people.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil // its server closed it already
	})
	return nil
}

func (c *Collector) openData() error {
	if c.opt.Hold == nil {
		hold, err := HoldData(c.opt.Config.Data)
		if err != nil {
			return err
		}
		c.opt.Hold = hold
	}
	c.undo.add("the data directory", c.opt.Hold.Release)
	if c.opt.Hold.Made {
		c.opt.Log.Info("began a new data directory: its ledger is empty, its certificate authority is new; --data names another", "dir", c.dataDir())
	}
	return nil
}

// dataDir is the data directory as one in any other directory names it.
func (c *Collector) dataDir() string { return absolute(c.opt.Config.Data) }

func (c *Collector) path(name string) string { return filepath.Join(c.opt.Config.Data, name) }

// ledgerLost refuses to begin a new ledger beside an old journal: outages,
// records and hosts would be gone without a word.
func (c *Collector) ledgerLost() error {
	if info, err := os.Stat(c.path("ledger.db")); err == nil && info.Size() > 0 {
		return nil
	}
	segments, err := filepath.Glob(filepath.Join(c.path("journal"), "*.seg"))
	if err != nil || len(segments) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s is missing or empty, but there is a journal beside it; put the newest backup of the ledger in its place, or move the whole data directory away to begin anew",
		ledger.ErrDamaged, c.path("ledger.db"))
}

func (c *Collector) openLedger() (err error) {
	if err := c.ledgerLost(); err != nil {
		return asUnsound(err)
	}
	if c.ledger, err = ledger.Open(ledger.Options{Path: c.path("ledger.db"), Now: c.opt.Now, Log: c.opt.Log}); err != nil {
		err = fmt.Errorf("open the ledger: %w", err)
		if errors.Is(err, ledger.ErrDamaged) {
			return asUnsound(err)
		}
		return err
	}
	c.undo.add("the ledger", c.ledger.Close)
	c.measureLedger()
	if c.ca, err = identity.OpenCA(c.path("identity"), c.opt.Now); err != nil {
		return asUnsound(fmt.Errorf("open the certificate authority: %w", err))
	}
	return c.storeCatalogue()
}

// JournalRecord bounds one record of the collector's journal, bytes.
const JournalRecord = 8 << 20

func (c *Collector) openJournal() error {
	folded, err := c.ledger.Cursor(context.Background(), ledger.FoldCursor)
	if err != nil {
		return fmt.Errorf("read the fold's cursor: %w", err)
	}
	j, recovery, err := journal.Open(journal.Options{Dir: c.path("journal"), Now: c.opt.Now, WhenFull: journal.Refuse,
		MinFree: minFree(c.opt.Config.Data), MaxRecordBytes: JournalRecord, AtLeast: journal.Position(folded)})
	if err != nil {
		return fmt.Errorf("open the journal: %w", err)
	}
	c.journal = j
	c.undo.add("the journal", j.Close)
	if recovery.Records > 0 {
		c.opt.Log.Warn("the journal was damaged; what could be read is kept", "lost_records", recovery.Records, "quarantine", recovery.Quarantined)
	}
	return nil
}

func (c *Collector) openReceive() (err error) {
	c.receive, err = receive.New(receive.Options{Journal: c.journal, Agents: enrolled{c.ledger, c.opt.Now}, CA: c.ca, Assigned: c.inForceChecks,
		Senders: senders{c.ledger}, Limits: c.opt.Config.Limits.batch(), Bounds: c.opt.Config.Limits.bounds(),
		CertificateTTL: c.opt.Config.CertificateLife.Std(), Registerer: c.registry, Log: c.opt.Log, Now: c.opt.Now})
	if err != nil {
		return fmt.Errorf("prepare the agents' listener: %w", err)
	}
	if err := c.receive.Listen(c.opt.Config.ListenAgents); err != nil {
		return portError(c.opt.Config.ListenAgents, "--listen-agents", err)
	}
	c.undo.add("the agents' port", c.receive.Close)
	return nil
}

func (c *Collector) openSeries() (err error) {
	c.series, err = series.Open(series.Options{Dir: c.path("series"), Journal: c.journal, Now: c.opt.Now, Log: c.opt.Log,
		Registerer: c.registry, Retention: c.opt.Config.Retention.Std(), Damaged: c.damagedBlock, Catalogue: c.agreed})
	if err != nil {
		return fmt.Errorf("open the series: %w", err)
	}
	c.undo.add("the series", c.series.Close)
	folded, err := c.ledger.Cursor(context.Background(), ledger.FoldCursor)
	if err != nil {
		return fmt.Errorf("read the fold's cursor: %w", err)
	}
	c.lostRecords(journal.Position(folded))
	return nil
}

// openFold opens what is computed: streaks and outages, figures, PromQL, the judge.
func (c *Collector) openFold() error {
	c.fold = fold.New(fold.Options{Ledger: c.ledger, Raw: c.series, Catalogue: c.agreed, Changed: func(string) { c.judge.Wake() },
		Now: c.opt.Now, Log: c.opt.Log, Registerer: c.registry})
	c.values = entered.NewDesk(c.ledger, c.agreed, c.opt.Now)
	c.figures = figures.New(figures.Options{Ledger: c.fold, Catalogue: c.inForce, Samples: lazySamples{c}, Records: c.ledger, Hosts: c.ledger,
		FactBefore: c.factBefore, Decided: decisions{c}, Entered: c.values, Raw: rawSamples{c}, Forecasts: c.ledger, Now: c.opt.Now,
		Closed: func(ctx context.Context, month string, asOf time.Time) (map[string][]availability.Explanation, error) {
			return c.closing.Standing(ctx, month, asOf)
		}})
	c.closing = closing.New(closing.Options{Ledger: c.ledger, Figures: c.figures, Program: c.opt.Version,
		Ready: func() bool { _, _, ready := c.series.Progress(); return ready }, Now: c.opt.Now, Log: c.opt.Log})
	c.openDesks()
	c.promql = series.NewPromQL(series.Merge(c.damage.Queryable(c.series, figures.Computed), c.figures.Queryable()), series.Limits{}, c.opt.Log, c.registry)
	c.promql.OnDamage(c.series.Suspect)
	return c.openJudge()
}

// lazySamples lets figures ask the PromQL that in turn asks figures.
type lazySamples struct{ c *Collector }

// Instant answers PromQL at an instant.
func (l lazySamples) Instant(ctx context.Context, expr string, at time.Time) ([]series.Value, error) {
	return l.c.promql.Instant(ctx, expr, at)
}

// seriesBehind is how long a question waits for series that are behind the
// streaks, and seriesBlocked how long nobody waits when that was in vain: a full
// disk keeps them from being written.
const (
	seriesBehind  = 200 * time.Millisecond
	seriesBlocked = 10 * time.Second
)

// rawSamples are what latency and capacity are measured by.
type rawSamples struct{ c *Collector }

// RangeWithin evaluates expr step by step.
func (r rawSamples) RangeWithin(ctx context.Context, expr string, from, to time.Time, step, lookback time.Duration) ([]series.Line, error) {
	return r.c.promql.RangeWithin(ctx, expr, from, to, step, lookback)
}

// Durations visits how long the checks of a component took.
func (r rawSamples) Durations(ctx context.Context, component string, from, to int64, each func(series.Duration)) error {
	return r.c.series.Durations(ctx, component, from, to, each)
}

// Kept is the instant from which raw samples are kept, Unix ms.
func (r rawSamples) Kept() int64 {
	return r.c.opt.Now().Add(-r.c.opt.Config.Retention.Std()).UnixMilli()
}

// factBefore finds the last fact of a streak before an instant inside it, as
// long as raw samples are kept.
//
// The series may be a moment behind the streaks, and are waited for: the same
// question has one answer. What is read again after a start takes longer; until
// it is, the instant is the earliest it can be.
func (c *Collector) factBefore(s availability.Streak, before int64) (int64, bool) {
	if applied, _, ready := c.series.Progress(); ready && applied < c.fold.Folded() {
		if time.Since(time.UnixMilli(c.gaveUp.Load())) < seriesBlocked {
			return 0, false
		}
		patient, cancel := context.WithTimeout(context.Background(), seriesBehind)
		defer cancel()
		if c.series.Await(patient, c.fold.Folded()) != nil {
			c.gaveUp.Store(time.Now().UnixMilli())
			return 0, false
		}
	}
	near, err := c.series.FactsBetween(context.Background(), s.Component, s.Observer, max(s.First, before-s.MaxGap), before-1)
	if err != nil {
		c.opt.Log.Warn("look for a raw fact", "component", s.Component, "err", err)
		return 0, false
	}
	for i := len(near) - 1; i >= 0; i-- {
		if near[i].State == s.State {
			return near[i].At, true
		}
	}
	return 0, false
}

// Run serves until ctx ends or a stage fails, then closes everything in reverse.
func (c *Collector) Run(ctx context.Context) error {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP) // before anything answers: a signal from then on ends nothing
	defer signal.Stop(hup)
	group, ctx := errgroup.WithContext(ctx)
	for _, stage := range [...]func(context.Context) error{
		c.receive.Serve,
		func(ctx context.Context) error { return c.series.Run(ctx, c.receive.Feed()) },
		func(ctx context.Context) error { return c.fold.Run(ctx, c.receive.Feed()) },
		c.judge.Run,
		c.closing.Run,
		c.foretell,
		func(ctx context.Context) error { return c.reloadOn(ctx, hup) },
		c.servePeople,
		c.serveHost,
		c.trim,
		c.lookThroughLedger,
		c.alive,
		c.followMembers,
	} {
		group.Go(func() error { return stage(ctx) })
	}
	err := group.Wait()
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	return errors.Join(err, c.undo.all())
}

// drain is how long open requests of people may finish.
const drain = 5 * time.Second

func (c *Collector) servePeople(ctx context.Context) error {
	server := &http.Server{Handler: c.pages, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(c.opt.Log.Handler(), slog.LevelDebug)}
	stopped := context.AfterFunc(ctx, func() {
		deadline, cancel := context.WithTimeout(context.Background(), drain)
		defer cancel()
		if err := server.Shutdown(deadline); err != nil {
			_ = server.Close() // a reader who holds on is cut off
		}
	})
	defer stopped()
	served := c.people
	if c.tls != nil {
		served = tls.NewListener(served, c.tls)
	}
	if err := server.Serve(served); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the pages: %w", err)
	}
	return nil
}
