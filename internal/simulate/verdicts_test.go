package simulate_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/plimsoll/plimsoll/agent/sample"
	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/fold"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/collector/receive"
	"github.com/plimsoll/plimsoll/collector/silence"
	"github.com/plimsoll/plimsoll/internal/identity"
	"github.com/plimsoll/plimsoll/internal/journal"
	"github.com/plimsoll/plimsoll/internal/need"
	"github.com/plimsoll/plimsoll/internal/simulate"
	"github.com/plimsoll/plimsoll/internal/wire"
)

const (
	sec, minute, hour = int64(1_000), int64(60_000), int64(3_600_000)

	every = 15 * sec
	begin = int64(1_790_000_000_000) // of each plan
	ends  = begin + hour
)

// unsynced is this machine's file system without the waiting.
type unsynced struct{ journal.OS }

type unsyncedFile struct{ journal.File }

func (unsyncedFile) Sync() error      { return nil }
func (unsynced) SyncDir(string) error { return nil }
func (u unsynced) OpenFile(name string, flag int, perm os.FileMode) (journal.File, error) {
	f, err := u.OS.OpenFile(name, flag, perm)
	return unsyncedFile{f}, err
}

// hostFact says of a verdict what it claims of the host.
type hostFact int

const (
	neverDown hostFact = iota // an agent, path or collector cause
	downAsWas                 // exactly while the host did not run, but for two intervals at each end
	asPeers                   // what the peers say stands
)

// cause is one row: what happens, what must be said of it, and of the host.
type cause struct {
	name string
	kind simulate.Kind
	want silence.Cause // "": nothing is to be said
	host hostFact
	ever bool // it lasts to the end
	by   int64
}

// causes are the sixteen.
func causes() []cause {
	return []cause{
		{name: "collector away", kind: simulate.CollectorAway, want: silence.CollectorAway},
		{name: "path cut", kind: simulate.PathCut, want: silence.PathCut},
		{name: "host network out", kind: simulate.NetworkOut, want: silence.NetworkOut},
		{name: "agent stopped", kind: simulate.AgentStop, want: silence.Stopped},
		{name: "agent killed", kind: simulate.AgentCrash, want: silence.Killed},
		{name: "agent stalled", kind: simulate.AgentStall, want: silence.Stalled},
		{name: "clean reboot", kind: simulate.Reboot, want: silence.Rebooted, host: downAsWas},
		{name: "host crash", kind: simulate.Crash, want: silence.Crashed, host: downAsWas},
		{name: "suspend", kind: simulate.Suspend, want: silence.Suspended, host: asPeers},
		{name: "VM paused", kind: simulate.Pause, want: silence.Paused, host: downAsWas},
		{name: "clock ahead", kind: simulate.ClockStep, by: 3 * hour},
		{name: "clock behind", kind: simulate.ClockStep, by: -40 * 24 * hour},
		{name: "data lost", kind: simulate.DataLoss, want: silence.Lost},
		{name: "clone", kind: simulate.Clone, want: silence.Cloned, ever: true},
		{name: "silent: host gone", kind: simulate.Crash, want: silence.Silent, host: asPeers, ever: true},
		{name: "silent: agent gone", kind: simulate.AgentCrash, want: silence.Silent, ever: true},
	}
}

// TestVerdictsOfSilence: 16 causes of silence, many seeded repetitions of each
// through the real receiver, journal, fold and ledger on a clock of its own. No
// host is ever down for an agent, path or collector cause, and the verdicts are
// right. make soak plays 200 repetitions of each cause; PLIMSOLL_ROUNDS others.
func TestVerdictsOfSilence(t *testing.T) {
	t.Parallel()
	rounds := need.Rounds(t, 8, 200)
	random := need.Random(t)
	wrong, all := 0, 0
	for _, c := range causes() {
		for done := 0; done < rounds; {
			group := min(20, rounds-done)
			w, err := play(t, c, random.Uint64(), group)
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			done, wrong, all = done+group, wrong+w, all+group
		}
	}
	t.Logf("%d of %d verdicts right", all-wrong, all)
	if float64(wrong) > 0.001*float64(all) {
		t.Errorf("%d of %d verdicts are wrong, want at most one in a thousand", wrong, all)
	}
}

// plan has a group of subjects, each with two peers that look at it; what
// happens to a subject happens once, at a time and for a length of its own.
func plan(c cause, seed uint64, group int) simulate.Plan {
	p := simulate.Plan{Seed: seed, From: begin, To: ends, Every: every}
	draw := func(n int, least, most int64) int64 {
		x := seed*0x9e3779b97f4a7c15 + uint64(n)*0xbf58476d1ce4e5b9
		x ^= x >> 31
		x *= 0x94d049bb133111eb
		x ^= x >> 29
		return least + int64(x%uint64(most-least))
	}
	for i := range group {
		subject := fmt.Sprintf("subject-%02d", i)
		peers := []string{fmt.Sprintf("east-%02d", i), fmt.Sprintf("west-%02d", i)}
		for n, name := range append([]string{subject}, peers...) {
			p.Hosts = append(p.Hosts, simulate.Host{Name: name, ID: fmt.Sprintf("%s-id", name), Customer: "c", Phase: draw(i*10+n, 0, every)})
		}
		p.Checks = append(p.Checks, simulate.Check{Component: subject, Target: "icmp " + subject, Kind: "icmp", On: subject, Observers: peers})
		from := begin + draw(i*10+5, 10*minute, 20*minute)
		e := simulate.Event{Kind: c.kind, Host: subject, From: from, To: from + draw(i*10+6, 3*minute, 25*minute), By: c.by}
		if c.ever {
			e.To = ends + hour
		}
		if c.kind == simulate.CollectorAway {
			if e.Host = ""; i > 0 {
				continue // there is one collector
			}
		}
		p.Events = append(p.Events, e)
	}
	return p
}

// play gives the number of wrong verdicts; a host that is down for a cause that
// is not its own fails the test.
func play(t *testing.T, c cause, seed uint64, group int) (wrong int, err error) {
	p := plan(c, seed, group)
	r, err := newRig(t.TempDir(), &p)
	if err != nil {
		return 0, err
	}
	defer r.close()
	if err := r.deliver(&p); err != nil {
		return 0, err
	}
	for i := range group {
		subject := fmt.Sprintf("subject-%02d", i)
		found, err := r.ledger.Silences(context.Background(), subject, 0, ends)
		if err != nil {
			return 0, err
		}
		said := slices.ContainsFunc(found, func(s silence.Silence) bool { return s.Cause == c.want })
		others := slices.DeleteFunc(slices.Clone(found), func(s silence.Silence) bool { return s.Cause == c.want })
		if c.want == "" {
			said = true
		}
		if c.kind == simulate.Clone && !said {
			t.Errorf("seed %d, %s, %s: not in quarantine: %+v", seed, c.name, subject, found)
		}
		if !said || len(others) > 0 {
			wrong++
			t.Logf("seed %d, %s, %s: said %+v, want %s alone", seed, c.name, subject, found, c.want)
		}
		r.checkDown(t, &p, c, seed, subject)
	}
	return wrong, nil
}

// checkDown compares when the host was down with the truth.
func (r *rig) checkDown(t *testing.T, p *simulate.Plan, c cause, seed uint64, subject string) {
	streaks, err := r.ledger.StreaksOf(context.Background(), subject)
	if err != nil {
		t.Error(err)
		return
	}
	line := availability.ComponentTimeline(availability.Component{Name: subject, Interval: every}, streaks, ends)
	truth := p.HostTruth(subject)
	const slack = 3 * every
	var down int64
	for _, seg := range line.Within(begin, ends) {
		if seg.State != availability.Down {
			continue
		}
		down += seg.To - seg.From
		within := slices.ContainsFunc(truth, func(s simulate.Stretch) bool { return seg.From >= s.From-slack && seg.To <= s.To+slack })
		if c.host == neverDown || !within {
			t.Errorf("seed %d, %s: %s was down %d s from %s, in truth %+v", seed, c.name, subject, (seg.To-seg.From)/sec, time.UnixMilli(seg.From).UTC(), truth)
		}
	}
	if c.host == downAsWas {
		if real := truth[0].To - truth[0].From; down < real-slack || down > real+slack {
			t.Errorf("seed %d, %s: %s was down for %d s, in truth %d s", seed, c.name, subject, down/sec, real/sec)
		}
	}
	if c.kind == simulate.DataLoss || c.kind == simulate.PathCut || c.kind == simulate.NetworkOut || c.kind == simulate.CollectorAway {
		for _, seg := range line.Within(begin+minute, ends-2*minute) {
			if seg.State != availability.Up {
				t.Errorf("seed %d, %s: %s was %v for %d s from %s, want up: it measured", seed, c.name, subject, seg.State, (seg.To-seg.From)/sec, time.UnixMilli(seg.From).UTC())
			}
		}
	}
}

// rig is the collector from the agents' port to the ledger, on a clock of its own.
type rig struct {
	now      atomic.Int64 // Unix ms
	ledger   *ledger.Ledger
	journal  *journal.Journal
	receiver *receive.Receiver
	handler  http.Handler
	hosts    map[string]*enrolled
	heard    map[string]string // ticket by sending run
}

type enrolled struct {
	host receive.Host
	cert *x509.Certificate
}

func (r *rig) clock() time.Time { return time.UnixMilli(r.now.Load()) }

// Host, Enrol, Renewed, Quarantine and Audit make the rig a receive.Agents.
func (r *rig) Host(_ context.Context, id string) (receive.Host, error) {
	for _, h := range r.hosts {
		if h.host.ID == id {
			return h.host, nil
		}
	}
	return receive.Host{}, receive.ErrUnknownHost
}

func (r *rig) Enrol(context.Context, receive.Enrolment) (receive.Host, error) {
	return receive.Host{}, receive.ErrTokenUnknown
}
func (r *rig) Renewed(context.Context, identity.Issued, string) error { return nil }
func (r *rig) Audit(context.Context, []receive.Refusal) error         { return nil }
func (r *rig) Quarantine(ctx context.Context, host, why string) error {
	for _, h := range r.hosts {
		if h.host.ID == host {
			h.host.Quarantine = why
		}
	}
	return r.ledger.QuarantineHost(ctx, host, why)
}

func newRig(dir string, p *simulate.Plan) (*rig, error) {
	r := &rig{hosts: map[string]*enrolled{}, heard: map[string]string{}}
	r.now.Store(p.From - minute)
	log := slog.New(slog.DiscardHandler)
	var err error
	if r.ledger, err = ledger.Open(ledger.Options{Path: filepath.Join(dir, "ledger.db"), Now: r.clock, Log: log}); err != nil {
		return nil, err
	}
	if r.journal, _, err = journal.Open(journal.Options{Dir: filepath.Join(dir, "journal"), FS: unsynced{}, WhenFull: journal.Refuse, Now: r.clock}); err != nil {
		return nil, err
	}
	ca, err := identity.OpenCA(filepath.Join(dir, "identity"), r.clock)
	if err != nil {
		return nil, err
	}
	if err := r.ledger.EnrolToken(context.Background(), "token", ledger.Token{Customer: "c", Uses: int64(len(p.Hosts)), ExpiresAt: p.To}); err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		return nil, err
	}
	csr := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
	for _, h := range p.Hosts {
		if _, err := r.ledger.UseToken(context.Background(), "token", ledger.Host{ID: h.ID, Instance: h.Name, Customer: h.Customer}); err != nil {
			return nil, err
		}
		issued, err := ca.SignHost(csr, h.ID, 24*time.Hour)
		if err != nil {
			return nil, err
		}
		block, _ := pem.Decode(issued.PEM)
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		r.hosts[h.Name] = &enrolled{receive.Host{ID: h.ID, Instance: h.Name, Customer: h.Customer}, cert}
	}
	r.receiver, err = receive.New(receive.Options{Journal: r.journal, Agents: r, CA: ca, Registerer: prometheus.NewRegistry(), Log: log, Now: r.clock})
	if err != nil {
		return nil, err
	}
	r.handler = r.receiver.Handler()
	return r, nil
}

func (r *rig) close() {
	_ = r.journal.Close()
	_ = r.ledger.Close()
}

// deliver plays the whole plan and folds it.
func (r *rig) deliver(p *simulate.Plan) error {
	if err := r.liveness(p); err != nil {
		return err
	}
	catalogue := &availability.Catalogue{}
	for _, h := range p.Hosts {
		catalogue.Components = append(catalogue.Components, availability.Component{Name: h.Name, Interval: every})
	}
	folding := fold.New(fold.Options{Ledger: r.ledger, Now: r.clock, Log: slog.New(slog.DiscardHandler), Catalogue: func() *availability.Catalogue { return catalogue }})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	encoder := sample.NewEncoder()
	for d := range p.Deliveries() {
		if err := r.post(encoder, &d); err != nil {
			cancel()
			return err
		}
	}
	r.now.Store(p.To)
	go func() { done <- folding.Run(ctx, r.receiver.Feed()) }()
	for folding.Folded() < r.journal.Last() {
		time.Sleep(time.Millisecond)
	}
	cancel()
	return <-done
}

// liveness writes what the collector's own journal says of it.
func (r *rig) liveness(p *simulate.Plan) error {
	from := p.From - minute
	for _, s := range p.HostTruth("") {
		if s.Kind == simulate.CollectorAway {
			if err := r.ledger.Alive(context.Background(), from, s.From); err != nil {
				return err
			}
			from = s.To
		}
	}
	return r.ledger.Alive(context.Background(), from, p.To)
}

// post sends one record as an agent does.
func (r *rig) post(encoder *sample.Encoder, d *simulate.Delivery) error {
	r.now.Store(d.Env.ReceivedAt)
	path, body, err := wire.WritePath, []byte(nil), error(nil)
	if d.Note != nil {
		path = wire.NotesPath
		body, err = json.Marshal(d.Note)
	} else {
		body, err = encoder.Encode(d.Set)
	}
	if err != nil {
		return err
	}
	req := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
	req.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{r.hosts[d.Env.Instance].cert}, ServerName: wire.CollectorServerName}
	d.Env.SetHeaders(req.Header, d.Sent)
	req.Header.Set(wire.HeaderSender, d.Sender)
	req.Header.Set(wire.HeaderHeard, r.heard[d.Sender])
	if d.Note == nil {
		req.Header.Set("Content-Type", wire.ContentType2)
	}
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, req)
	r.heard[d.Sender] = w.Header().Get(wire.HeaderTicket)
	if w.Code != http.StatusNoContent && w.Code != http.StatusForbidden {
		return fmt.Errorf("%s at %d: %d %s", d.Env.Instance, d.Env.ReceivedAt, w.Code, w.Body)
	}
	return nil
}
