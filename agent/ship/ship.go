package ship

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/plimsoll/plimsoll/agent/fault"
	"github.com/plimsoll/plimsoll/internal/journal"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// cursorName is the durable cursor of the buffer that marks what is delivered.
const cursorName = "ship"

// Endpoint is where to deliver, and as whom.
type Endpoint struct {
	Addresses []string // host:port of our collector, in order of preference
	TLS       *tls.Config
	Proxy     *url.URL // that is asked to CONNECT; nil: none
	Foreign   *Foreign // instead of Addresses
}

// Options are what a Shipper needs; all are needed except Backoff.
type Options struct {
	Buffer *journal.Journal
	Dir    string // for the file of refused records
	// Connect says where to deliver. It is asked at the start and again after
	// each round of failures, so that a new identity or address is taken up.
	Connect func() (Endpoint, error)
	Clocks  func() wire.Clocks
	// SameClock tells whether the boot clock has counted on since the record
	// was made; nil: always.
	SameClock func(*wire.Envelope) bool
	Run       string // of this process; the collector tells copies of a host by it
	Version   string
	Log       *slog.Logger
	Now       func() time.Time
	Backoff   Backoff // default 1 s to 30 s
	// InOrder delivers oldest first, also after an absence. Otherwise what is
	// young goes first, so that nobody looks at an old picture meanwhile.
	InOrder bool
}

// Stats are the figures of a Shipper since its start.
type Stats struct {
	Delivered  uint64 // records the collector has on disk
	Failed     uint64 // attempts that were not answered or asked to come back
	Paced      uint64 // times the collector asked to bring the backlog more slowly
	Refused    uint64 // records that will never be accepted, put aside
	Last       time.Time
	Waiting    uint64        // records not delivered yet
	ClockAhead time.Duration // of this host before the collector; negative = behind
	ClockKnown bool
	To         string    // the address in use; empty: none yet
	Trouble    string    // why nothing is delivered at present; empty: it is
	Remedy     string    // what a person can do about it
	Since      time.Time // of the trouble
}

// Shipper delivers the buffer.
type Shipper struct {
	opt        Options
	cursor     *journal.Cursor
	quarantine quarantine
	reach      *fault.Condition
	refusing   *fault.Condition
	reading    *fault.Condition
	greeted    bool // said that it delivers

	client   *http.Client // nil: not connected
	to       Endpoint
	failures int         // in a row; also picks the address
	heard    string      // ticket of the last answer
	again    atomic.Bool // there is another identity to take up

	mu     sync.Mutex
	stats  Stats
	looked journal.Position // the youngest record when Waiting was counted
	proven way              // delivered last; zero: none does now
}

// New makes a Shipper on the buffer's cursor.
func New(opt Options) (*Shipper, error) {
	if opt.Backoff.Max == 0 {
		opt.Backoff = Backoff{Min: time.Second, Max: 30 * time.Second}
	}
	cursor, err := opt.Buffer.Cursor(cursorName)
	if err != nil {
		return nil, fmt.Errorf("open cursor of the buffer: %w", err)
	}
	return &Shipper{
		opt:        opt,
		cursor:     cursor,
		quarantine: newQuarantine(opt.Dir),
		reach:      fault.New(opt.Log, opt.Now, "delivering again"),
		refusing:   fault.New(opt.Log, opt.Now, "the collector accepts everything again"),
		reading:    fault.New(opt.Log, opt.Now, "the buffer can be read again"),
	}, nil
}

// Stats returns the present figures.
func (s *Shipper) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stats
	st.Waiting += uint64(s.opt.Buffer.Last() - s.looked) // what came while an attempt or a pause lasts
	return st
}

// count looks at how much is waiting.
func (s *Shipper) count(todo *lanes) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Waiting, s.looked = todo.waiting(), s.opt.Buffer.Last()
}

// Reconnect has the next delivery made over a new connection, with what
// Connect says by then. A delivery that is under way ends as it began, so no
// record is lost or sent in vain.
func (s *Shipper) Reconnect() { s.again.Store(true) }

func (s *Shipper) update(change func(*Stats)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.stats)
}

// Run delivers until ctx ends. The error is of the buffer's files, never of
// the collector: an unreachable collector is waited for.
func (s *Shipper) Run(ctx context.Context) (err error) {
	todo := newLanes(s.opt.Buffer, s.cursor.Position(), s.opt.InOrder)
	s.count(todo)
	defer func() {
		s.disconnect()
		for _, closing := range [...]func() error{todo.close, s.cursor.Close} {
			if closeErr := closing(); err == nil && closeErr != nil {
				err = fmt.Errorf("close reader of the buffer: %w", closeErr)
			}
		}
	}()
	for ctx.Err() == nil {
		rec, from, err := todo.next()
		if err == nil && rec == nil {
			from = todo.live
			rec, err = from.wait(ctx)
		}
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, journal.ErrClosed) {
			return fmt.Errorf("read buffer: %w", err)
		}
		if err != nil {
			s.reading.Fail("the buffer cannot be read", "err", err, "remedy", "see whether the data directory is in order and descriptors are left")
			pause(ctx, s.opt.Backoff.wait(0))
			continue
		}
		s.reading.OK()
		if !s.settled(ctx, rec) {
			s.count(todo)
			continue // with whatever is youngest by now
		}
		from.pass()
		if err := s.acknowledge(todo); err != nil {
			return err
		}
	}
	return nil
}

// settled tries once to deliver a record. It is true when the record is
// delivered or will never be; otherwise the pause until the next attempt is over.
func (s *Shipper) settled(ctx context.Context, rec *journal.Record) bool {
	err := s.attempt(ctx, rec)
	var never *refusedError
	switch {
	case err == nil:
		s.delivered()
		return true
	case errors.As(err, &never):
		s.putAside(rec, never)
		return true
	case ctx.Err() != nil:
		return false
	}
	s.failed(ctx, err)
	return false
}

// acknowledge moves the durable cursor and gives back what lies behind it.
func (s *Shipper) acknowledge(todo *lanes) error {
	upTo := todo.delivered()
	s.count(todo)
	if upTo == s.cursor.Position() {
		return nil
	}
	if err := s.cursor.Ack(upTo); err != nil {
		return fmt.Errorf("acknowledge in the buffer: %w", err)
	}
	if _, err := s.opt.Buffer.Trim(upTo); err != nil {
		return fmt.Errorf("trim buffer: %w", err)
	}
	return nil
}
