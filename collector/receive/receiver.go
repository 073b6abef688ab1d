package receive

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/plimsoll/plimsoll/collector/batch"
	"github.com/plimsoll/plimsoll/internal/identity"
	"github.com/plimsoll/plimsoll/internal/journal"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// Options of a Receiver. Journal, Agents, CA, Registerer, Log and Now are needed.
type Options struct {
	Journal    *journal.Journal
	Agents     Agents
	CA         *identity.CA
	Registerer prometheus.Registerer
	Log        *slog.Logger
	Now        func() time.Time

	// Assigned are the checks that a host, by its name, is to make; nil: none.
	// It is called for each question of a host.
	Assigned func(instance string) wire.Checks

	Limits         batch.Limits  // zero: batch.Defaults()
	Bounds         Bounds        // zero: DefaultBounds()
	Senders        Senders       // nil: foreign senders are not let in
	CertificateTTL time.Duration // of a host; default 7 days
	HostTTL        time.Duration // how long a looked-up host is believed; default 30 s
	Job            string        // label job of what agents send; default "node"
}

func (o *Options) defaults() {
	if o.Limits == (batch.Limits{}) {
		o.Limits = batch.Defaults()
	}
	if o.Bounds == (Bounds{}) {
		o.Bounds = DefaultBounds()
	}
	if o.CertificateTTL == 0 {
		o.CertificateTTL = 7 * 24 * time.Hour
	}
	if o.HostTTL == 0 {
		o.HostTTL = 30 * time.Second
	}
	if o.Job == "" {
		o.Job = "node"
	}
}

// serverCertificateTTL is the life of the listener's own certificate.
const serverCertificateTTL = 30 * 24 * time.Hour

// drain is how long open requests may finish when the receiver stops.
const drain = 5 * time.Second

// Receiver is the agents' listener.
type Receiver struct {
	opts     Options
	m        *metrics
	decoder  *batch.Decoder
	hosts    *directory
	feed     *Feed
	budget   budget
	turns    turns // of backlog
	penances penances
	heavy    heavy
	clocks   clocks
	lobby    *lobby
	told     sync.Map  // kind of a fault to when it was last logged
	buffers  sync.Pool // *buffers
	cert     *serverCertificate

	refusals *refusals
	senders  *senders
	renewals pace
	gate     atomic.Pointer[gate] // nil until Serve

	listener net.Listener
	refusing atomic.Bool // the journal took nothing at the last try
}

// New makes a receiver that does not listen yet.
func New(opts Options) (*Receiver, error) {
	opts.defaults()
	m := newMetrics(opts.Registerer)
	r := &Receiver{
		opts:     opts,
		m:        m,
		decoder:  batch.NewDecoder(opts.Limits),
		hosts:    newDirectory(opts.Agents, opts.HostTTL, opts.Now, m),
		feed:     newFeed(opts.Journal, opts.Limits, opts.Log, m),
		budget:   budget{limit: opts.Bounds.InflightBytes, each: opts.Bounds.InflightPerHost, by: map[string]int64{}, inflight: m.inflight},
		lobby:    newLobby(&opts, m),
		turns:    make(turns, backfills),
		heavy:    newHeavy(m.largeWaited),
		penances: penances{waited: m.waited, by: map[string]*penance{}},
		clocks:   clocks{known: map[string][]int64{}, corrected: m.corrected},
		cert:     &serverCertificate{ca: opts.CA, ttl: serverCertificateTTL, now: opts.Now},

		refusals: newRefusals(&opts, m),
		senders:  newSenders(),
		renewals: pace{last: map[string]time.Time{}},
	}
	if _, err := r.cert.get(nil); err != nil {
		return nil, fmt.Errorf("make the listener's certificate: %w", err)
	}
	return r, nil
}

// Feed is where the consumers read what was acknowledged.
func (r *Receiver) Feed() *Feed { return r.feed }

// Listen binds the address, which may have port 0.
func (r *Receiver) Listen(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("listen for agents: %w", err)
	}
	r.listener = l
	return nil
}

// Addr is the bound address; nil before Listen.
func (r *Receiver) Addr() net.Addr {
	if r.listener == nil {
		return nil
	}
	return r.listener.Addr()
}

// Close gives the address back when Serve was never called.
func (r *Receiver) Close() error {
	if r.listener == nil {
		return nil
	}
	if err := r.listener.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// Serve answers agents until ctx ends, then lets open requests finish.
func (r *Receiver) Serve(ctx context.Context) error {
	if r.listener == nil {
		return errors.New("serve agents: not listening yet")
	}
	defer r.feed.Close()
	gate := newGate(r.listener, serverTLS(r.opts.CA, r.opts.Now, r.cert.get), r.opts.Log, r.m, r.refusals.add)
	gate.bounds = r.opts.Bounds
	r.gate.Store(gate)
	server := &http.Server{
		Handler:           r.routes(),
		ReadHeaderTimeout: r.opts.Bounds.Header,
		WriteTimeout:      time.Minute,
		IdleTimeout:       5 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(r.opts.Log.Handler(), slog.LevelDebug),
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(gate.run)
	group.Go(func() error { return r.refusals.run(ctx) })
	group.Go(func() error {
		if err := server.Serve(gate); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			return fmt.Errorf("serve agents: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		defer func() { _ = gate.Close() }()
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
		defer cancel()
		if err := server.Shutdown(stop); err != nil {
			_ = server.Close()
		}
		return nil
	})
	return group.Wait()
}

// Handler serves what Serve does, for a caller that has verified the peer's
// certificate itself and put it into the request's TLS state.
func (r *Receiver) Handler() http.Handler { return r.routes() }

// routes are all paths of the agents' listener, by the server name of the
// connection: a certificate that has expired, or none, opens one path alone.
func (r *Receiver) routes() http.Handler {
	usual, enrol, renew := http.NewServeMux(), http.NewServeMux(), http.NewServeMux()
	usual.HandleFunc("POST "+wire.WritePath, r.write)
	usual.HandleFunc("POST "+wire.NotesPath, r.notes)
	usual.HandleFunc("GET "+wire.ChecksPath, r.checks)
	usual.HandleFunc("POST "+wire.RenewPath, r.renew)
	usual.HandleFunc(wire.EnrolPath, r.elsewhere)
	renew.HandleFunc("POST "+wire.RenewPath, r.renew)
	renew.HandleFunc(wire.EnrolPath, r.elsewhere)
	enrol.HandleFunc("POST "+wire.EnrolPath, r.enrol)
	enrol.HandleFunc(wire.RenewPath, r.elsewhere)
	for _, path := range [...]string{wire.WritePath, wire.NotesPath, wire.ChecksPath} {
		renew.HandleFunc(path, r.elsewhere)
		enrol.HandleFunc(path, r.elsewhere)
	}
	foreign := http.NewServeMux()
	foreign.HandleFunc("POST "+wire.WritePath, r.foreign)
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		h := w.Header()
		h[wire.HeaderTime] = []string{strconv.FormatInt(r.opts.Now().UnixMilli(), 10)}
		h[wire.HeaderTicket] = []string{r.senders.ticket()}
		under := usual
		switch {
		case req.TLS == nil: // a test's recorder
		case req.TLS.ServerName == wire.EnrolServerName:
			under = enrol
		case req.TLS.ServerName == wire.RenewServerName:
			under = renew
		case req.TLS.ServerName == wire.SenderServerName:
			under = foreign
		}
		under.ServeHTTP(w, req)
	})
}

// elsewhere answers for a path that another server name has.
func (r *Receiver) elsewhere(w http.ResponseWriter, req *http.Request) {
	r.refusals.add("", refusedElsewhere, from(req))
	http.Error(w, fmt.Sprintf("%s is not served here: enrolment is under the TLS server name %s, renewal also under %s, everything else under %s",
		req.URL.Path, wire.EnrolServerName, wire.RenewServerName, wire.CollectorServerName), http.StatusMisdirectedRequest)
}
