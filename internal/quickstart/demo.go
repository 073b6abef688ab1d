package quickstart

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
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/plimsoll/plimsoll/agent/sample"
	"github.com/plimsoll/plimsoll/collector"
	"github.com/plimsoll/plimsoll/collector/ledger"
	"github.com/plimsoll/plimsoll/internal/durable"
	"github.com/plimsoll/plimsoll/internal/identity"
	"github.com/plimsoll/plimsoll/internal/journal"
	"github.com/plimsoll/plimsoll/internal/simulate"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// demoCertificate is how long the simulated hosts' certificates are good for;
// they get new ones at each start.
const demoCertificate = 90 * 24 * time.Hour

// backlog is how far behind a simulated host delivers after the demonstration
// was stopped. The receiver takes eight days.
const backlog = 7 * 24 * time.Hour

// demo is a running demonstration: the plan as it goes on, and what its hosts
// prove themselves with.
type demo struct {
	began time.Time
	next  func() (simulate.Delivery, bool)
	stop  func()
	ahead *simulate.Delivery // taken from next, and not delivered yet
	seen  map[string]int64   // by host id: received up to there already
	hosts map[string]tls.Certificate
	roots *x509.CertPool
}

// openDemo makes the history on the first start, and finds it on later ones.
// It is called before the collector opens the data directory.
func openDemo(ctx context.Context, data string, now time.Time, tell story) (*demo, error) {
	d := &demo{began: now, seen: map[string]int64{}, hosts: map[string]tls.Certificate{}}
	mark, err := collector.ReadDemonstration(data)
	first := errors.Is(err, os.ErrNotExist)
	switch {
	case first:
		if _, err := os.Stat(filepath.Join(data, "ledger.db")); err == nil {
			return nil, fmt.Errorf("%s holds real data, which a demonstration must not be mixed with: name an empty directory with --data, or leave --demo out", data)
		}
	case err != nil:
		return nil, err
	default:
		d.began = mark.Began
	}
	plan := demoPlan(d.began, d.began.AddDate(1, 0, 0))
	if err := d.admit(ctx, data, &plan, first); err != nil {
		return nil, fmt.Errorf("let the simulated hosts in: %w", err)
	}
	d.next, d.stop = iter.Pull(plan.Deliveries())
	if !first {
		tell.tell("Going on with the demonstration that began at %s; its hosts deliver what they measured meanwhile.", d.began.Format(time.DateTime))
		return d, nil
	}
	if err := d.fill(ctx, data, &plan, tell); err != nil {
		d.stop()
		return nil, fmt.Errorf("write the simulated history: %w; remove %s and start again", err, data)
	}
	text, err := json.Marshal(collector.Demonstration{Began: d.began, Customers: []string{northwind, pujiang}})
	if err != nil {
		return nil, err
	}
	return d, durable.WriteFile(filepath.Join(data, collector.DemonstrationFile), append(text, '\n'), 0o640)
}

// admit lists the hosts, once, as if they had enrolled when the plan begins, and
// signs a certificate for each.
func (d *demo) admit(ctx context.Context, data string, p *simulate.Plan, first bool) (err error) {
	clock := time.Now
	if first {
		clock = func() time.Time { return time.UnixMilli(p.From) }
	}
	if err := os.MkdirAll(data, 0o750); err != nil {
		return err
	}
	book, err := ledger.Open(ledger.Options{Path: filepath.Join(data, "ledger.db"), Now: clock, Log: quiet()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	ca, err := identity.OpenCA(filepath.Join(data, "identity"), time.Now)
	if err != nil {
		return err
	}
	d.roots = ca.Pool()
	if first {
		if err := d.enrol(ctx, book, ca.Fingerprint(), p); err != nil {
			return err
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		return err
	}
	request := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
	for i := range p.Hosts {
		h := &p.Hosts[i]
		listed, err := book.HostByID(ctx, h.ID)
		if err != nil {
			return err
		}
		d.seen[h.ID] = listed.LastSeen
		issued, err := ca.SignHost(request, h.ID, demoCertificate)
		if err != nil {
			return err
		}
		if err := book.AddCertificate(ctx, ledger.Certificate{Fingerprint: issued.Fingerprint, Host: h.ID, Authority: issued.Authority,
			NotBefore: issued.NotBefore.UnixMilli(), NotAfter: issued.NotAfter.UnixMilli()}, ""); err != nil {
			return err
		}
		block, _ := pem.Decode(issued.PEM)
		d.hosts[h.ID] = tls.Certificate{Certificate: [][]byte{block.Bytes}, PrivateKey: key}
	}
	return nil
}

// enrol lists the hosts and notes when the simulated collector was alive.
func (d *demo) enrol(ctx context.Context, book *ledger.Ledger, authority string, p *simulate.Plan) error {
	_, hash := identity.NewToken(authority)
	if err := book.EnrolToken(ctx, hash, ledger.Token{Label: "demonstration", Uses: int64(len(p.Hosts)), ExpiresAt: p.From + time.Hour.Milliseconds(), Authority: authority}); err != nil {
		return err
	}
	for _, h := range p.Hosts {
		if _, err := book.UseToken(ctx, hash, ledger.Host{ID: h.ID, Instance: h.Name, Customer: h.Customer, OS: "linux", Arch: "amd64", Version: "simulated"}); err != nil {
			return err
		}
	}
	from := p.From
	for _, s := range p.HostTruth("") {
		if s.Kind == simulate.CollectorAway {
			if err := book.Alive(ctx, from, s.From); err != nil {
				return err
			}
			from = s.To
		}
	}
	return book.Alive(ctx, from, d.began.UnixMilli())
}

// fill writes the history into the journal of the collector, as its receiver
// would have: it is folded, kept and explained as anything else.
func (d *demo) fill(ctx context.Context, data string, p *simulate.Plan, tell story) (err error) {
	at := p.From
	once := &syncedOnce{}
	j, _, err := journal.Open(journal.Options{Dir: filepath.Join(data, "journal"), FS: once, WhenFull: journal.Refuse,
		Now: func() time.Time { return time.UnixMilli(at) }, MaxRecordBytes: collector.JournalRecord})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close(), once.syncAll()) }()
	encoder := sample.NewEncoder()
	records, told := 0, time.Now()
	for {
		next, ok := d.next()
		if !ok || ctx.Err() != nil {
			return ctx.Err()
		}
		if next.Env.ReceivedAt >= time.Now().UnixMilli() {
			d.ahead = &next
			break
		}
		at = next.Env.ReceivedAt
		body, err := encode(encoder, &next)
		if err != nil {
			return err
		}
		if _, err := j.Append(next.Env.Append(nil), body); err != nil {
			return err
		}
		if records++; time.Since(told) > 5*time.Second {
			told = time.Now()
			tell.tell("Playing the months of two customers: %s, %d %%.", time.UnixMilli(at).Format(time.DateOnly), 100*(at-p.From)/(d.began.UnixMilli()-p.From))
		}
	}
	tell.tell("Played %d simulated hosts from %s to now: %d records are in the journal, as if they had been received then.",
		len(p.Hosts), demoStart(p).Format(time.DateOnly), records)
	return nil
}

// demoStart is the first instant of the plan where its months are counted.
func demoStart(p *simulate.Plan) time.Time {
	begin := time.UnixMilli(p.From)
	if zone, err := time.LoadLocation(zonePujiang); err == nil {
		begin = begin.In(zone)
	}
	return begin
}

func encode(encoder *sample.Encoder, d *simulate.Delivery) ([]byte, error) {
	if d.Note != nil {
		return json.Marshal(d.Note)
	}
	return encoder.Encode(d.Set)
}

// live delivers what the simulated hosts measure from now on, each record at
// its time, over TLS as any agent.
func (d *demo) live(ctx context.Context, agents string) error {
	clients := map[string]*http.Client{}
	for id, cert := range d.hosts {
		clients[id] = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{
			MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{cert}, RootCAs: d.roots, ServerName: wire.CollectorServerName}}}
	}
	encoder := sample.NewEncoder()
	for ctx.Err() == nil {
		next, ok := d.take()
		if !ok {
			return nil
		}
		if !sleepUntil(ctx, time.UnixMilli(next.Env.ReceivedAt)) {
			return nil
		}
		body, err := encode(encoder, next)
		if err != nil {
			return err
		}
		for wait := time.Second; !d.post(ctx, clients[next.Env.Host], agents, next, body); wait = min(2*wait, 30*time.Second) {
			if !sleepUntil(ctx, time.Now().Add(wait)) {
				return nil
			}
		}
	}
	return nil
}

// take is the next record that was not delivered before and is not too old to be.
func (d *demo) take() (*simulate.Delivery, bool) {
	if next := d.ahead; next != nil {
		d.ahead = nil
		return next, true
	}
	for {
		next, ok := d.next()
		if !ok || next.Env.ReceivedAt > d.seen[next.Env.Host] && time.Since(time.UnixMilli(next.Env.ReceivedAt)) < backlog {
			return &next, ok
		}
	}
}

// post sends one record; false: try again.
func (d *demo) post(ctx context.Context, client *http.Client, agents string, next *simulate.Delivery, body []byte) bool {
	path, kind := wire.WritePath, wire.ContentType2
	if next.Note != nil {
		path, kind = wire.NotesPath, "application/json"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+agents+path, bytes.NewReader(body))
	if err != nil {
		return true
	}
	req.Header.Set("Content-Type", kind)
	late := time.Now().UnixMilli() - next.Env.ReceivedAt // it is sent now: so its clocks say
	sent := next.Sent
	if sent.Wall += late; sent.Boot != 0 {
		sent.Boot, sent.Mono = sent.Boot+late, sent.Mono+late
	}
	next.Env.SetHeaders(req.Header, sent)
	req.Header.Set(wire.HeaderSender, next.Sender)
	resp, err := client.Do(req)
	if err != nil {
		return ctx.Err() != nil
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	_ = resp.Body.Close()
	return resp.StatusCode != http.StatusServiceUnavailable && resp.StatusCode != http.StatusTooManyRequests
}

// sleepUntil waits, and tells whether ctx is still alive afterwards.
func sleepUntil(ctx context.Context, at time.Time) bool {
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
