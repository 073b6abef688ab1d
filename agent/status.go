package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/plimsoll/plimsoll/internal/identity"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// Status is what a running agent says of itself to a person on its host. It
// answers three questions: is it measuring, is it delivering, is its clock right.
type Status struct {
	Version  string    `json:"version"`
	At       time.Time `json:"at"`
	Started  time.Time `json:"started"`
	Data     string    `json:"data"`
	Instance string    `json:"instance"` // the name the collector lists this host under; empty: not enrolled
	Expires  time.Time `json:"certificate_expires"`
	// CertificateTrouble is why it is not renewed though it is due; empty: it is, or is not due.
	CertificateTrouble string `json:"certificate_trouble,omitempty"`

	Measuring  MeasuringStatus  `json:"measuring"`
	Delivering DeliveringStatus `json:"delivering"`
	Clock      ClockStatus      `json:"clock"`
}

// MeasuringStatus tells of the collections.
type MeasuringStatus struct {
	Well        bool      `json:"well"`
	Last        time.Time `json:"last"` // end of the last collection; zero: none yet
	IntervalS   float64   `json:"interval_s"`
	Series      int       `json:"series"`
	Collections uint64    `json:"collections"`
	Failures    uint64    `json:"source_failures"`
	Missed      uint64    `json:"missed_records"` // did not get into the buffer
	TookS       float64   `json:"took_s"`
}

// DeliveringStatus tells of the way to the collector.
type DeliveringStatus struct {
	Well      bool      `json:"well"`
	To        string    `json:"to"`
	Last      time.Time `json:"last_acknowledged"` // zero: not in this run
	Delivered uint64    `json:"delivered_records"`
	Waiting   uint64    `json:"waiting_records"`
	Oldest    time.Time `json:"oldest_waiting"` // zero: nothing waits
	Refused   uint64    `json:"refused_records"`
	Dropped   uint64    `json:"dropped_records"` // given up by the buffer before they were delivered
	Bytes     int64     `json:"buffer_bytes"`
	Trouble   string    `json:"trouble,omitempty"`
	Remedy    string    `json:"remedy,omitempty"`
	Since     time.Time `json:"trouble_since"`
}

// ClockStatus tells of the clock against the collector's.
type ClockStatus struct {
	Well   bool    `json:"well"`
	Known  bool    `json:"known"`
	AheadS float64 `json:"ahead_s"` // negative: behind
}

// status asks each part how it is.
func (a *Agent) status() Status {
	now := a.opt.Now()
	s := Status{Version: a.opt.Version, At: now, Started: a.started, Data: a.opt.Config.Data}
	if id, err := identity.Load(a.opt.Config.IdentityDir()); err == nil {
		s.Instance, s.Expires, s.CertificateTrouble = id.Instance, id.Expires, a.renew.status().Trouble
	}
	collected, shipped, buffer := a.collect.figures(), a.ship.Stats(), a.buffer.Stats()
	interval := a.opt.Config.Interval.Std()
	s.Measuring = MeasuringStatus{
		Well: !collected.last.IsZero() && now.Sub(collected.last) < 3*interval+time.Second && a.out.taking(),
		Last: collected.last, IntervalS: interval.Seconds(), Series: collected.series, Collections: collected.collections,
		Failures: collected.failures, Missed: a.out.missedRecords(), TookS: collected.took.Seconds(),
	}
	s.Delivering = DeliveringStatus{
		Well: shipped.Trouble == "" && !shipped.Last.IsZero(),
		To:   shipped.To, Last: shipped.Last, Delivered: shipped.Delivered, Waiting: shipped.Waiting, Refused: shipped.Refused,
		Dropped: buffer.Dropped, Bytes: buffer.Bytes, Trouble: shipped.Trouble, Remedy: shipped.Remedy, Since: shipped.Since,
	}
	if shipped.Waiting > 0 {
		s.Delivering.Oldest = buffer.OldestAt
	}
	s.Clock = ClockStatus{Known: shipped.ClockKnown, AheadS: shipped.ClockAhead.Seconds(), Well: shipped.ClockKnown && shipped.ClockAhead.Abs() <= wire.MaxClockError}
	return s
}

// statusSocket is where a running agent with that data directory answers.
func statusSocket(data string) string { return filepath.Join(data, "status.sock") }

// statusTimeout bounds one question to a running agent.
const statusTimeout = 5 * time.Second

// listenStatus opens the socket. It is this user's and root's only.
func (a *Agent) listenStatus() (net.Listener, error) {
	path := statusSocket(a.opt.Config.Data)
	// One of a run that was killed: the buffer's lock says that nobody else has it.
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("remove the old status socket: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen on the status socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("protect the status socket: %w", err), l.Close())
	}
	return l, nil
}

// serveStatus answers each connection with one JSON document until ctx ends.
// That nobody can ask is no reason not to measure.
func (a *Agent) serveStatus(ctx context.Context) error {
	l, err := a.listenStatus()
	if err != nil {
		a.opt.Log.Warn("\"plimsoll-agent status\" will not find this agent", "err", err, "remedy", "see whether the data directory's path is short enough for a socket and can be written")
		return nil
	}
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	for {
		c, err := l.Accept()
		if err != nil {
			return nil // closed: the agent ends
		}
		_ = c.SetDeadline(time.Now().Add(statusTimeout))
		// Who asked and went away is no fault of the agent.
		_ = json.NewEncoder(c).Encode(a.status())
		_ = c.Close()
	}
}

// errNotRunning is that no agent answers for the data directory.
var errNotRunning = errors.New("no agent runs with this data directory")

// askStatus asks the agent that runs with the data directory.
func askStatus(ctx context.Context, data string) (Status, error) {
	var s Status
	d := net.Dialer{Timeout: statusTimeout}
	c, err := d.DialContext(ctx, "unix", statusSocket(data))
	if err != nil {
		if errors.Is(err, fs.ErrPermission) {
			return s, fmt.Errorf("ask the agent: %w; ask as the user it runs as, or as root", err)
		}
		return s, fmt.Errorf("%w: %s: %w", errNotRunning, data, err)
	}
	defer func() { _ = c.Close() }() // only read from
	_ = c.SetDeadline(time.Now().Add(statusTimeout))
	if err := json.NewDecoder(c).Decode(&s); err != nil {
		return s, fmt.Errorf("read the agent's answer: %w", err)
	}
	return s, nil
}
