package ship

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/plimsoll/plimsoll/internal/journal"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// Bounds of one delivery.
const (
	dialTimeout    = 5 * time.Second
	answerTimeout  = 30 * time.Second // from the last byte sent to the first of the answer
	requestTimeout = 60 * time.Second
	maxAnswer      = 64 << 10 // bytes of an answer that are read
	maxTicket      = 64       // bytes of a ticket that is repeated
	maxShown       = 300      // bytes of an answer that are repeated in a log
)

// refusedError is an answer that will be the same however often it is asked.
type refusedError struct {
	status int
	reason string
}

func (e *refusedError) Error() string { return fmt.Sprintf("refused with %d: %s", e.status, e.reason) }

// laterError is an answer that asks to come back.
type laterError struct {
	status int
	after  time.Duration // 0 = not said
	reason string
}

func (e *laterError) Error() string { return fmt.Sprintf("answered %d: %s", e.status, e.reason) }

// Client makes a client of an endpoint for what is not a record. The caller
// closes its idle connections.
func Client(e Endpoint) *http.Client { return newClient(e) }

// newClient makes the client of an endpoint: one connection, kept.
func newClient(e Endpoint) *http.Client {
	d := net.Dialer{Timeout: dialTimeout, Resolver: &net.Resolver{PreferGo: true}}
	return &http.Client{
		Timeout: requestTimeout,
		Transport: &http.Transport{
			Proxy:                  func(*http.Request) (*url.URL, error) { return e.Proxy, nil },
			DialContext:            d.DialContext,
			TLSClientConfig:        e.TLS,
			TLSHandshakeTimeout:    2 * dialTimeout,
			ResponseHeaderTimeout:  answerTimeout,
			MaxResponseHeaderBytes: maxAnswer,
			MaxConnsPerHost:        2,
			MaxIdleConnsPerHost:    1,
			IdleConnTimeout:        5 * time.Minute,
			DisableCompression:     true,
			WriteBufferSize:        8 << 10,
			ReadBufferSize:         4 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return errors.New("the collector redirects, which none of ours does")
		},
	}
}

// post sends one record to an address. nil: the collector has it on disk.
func (s *Shipper) post(ctx context.Context, client *http.Client, address string, rec *journal.Record) error {
	env, body, err := wire.Split(rec.Data)
	if err != nil {
		return &refusedError{reason: err.Error()}
	}
	env.Seq = uint64(rec.Pos) // the position in the buffer is the sequence
	path := wire.WritePath
	if env.Kind == wire.KindNote {
		path = wire.NotesPath
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+address+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make request for %s: %w", address, err)
	}
	setHeaders(req.Header, env.Kind, s.opt.Version)
	sent := s.opt.Clocks()
	told := sent
	if s.opt.SameClock != nil && !s.opt.SameClock(&env) {
		told.Boot, told.Mono = 0, 0 // of another boot: they say nothing about this record
	}
	env.SetHeaders(req.Header, told)
	req.Header.Set(wire.HeaderSender, s.opt.Run)
	if s.heard != "" {
		req.Header.Set(wire.HeaderHeard, s.heard)
	}
	got, err := exchange(client, req, maxAnswer)
	if err != nil {
		return err
	}
	s.noteOffset(got.header, sent)
	if ticket := got.header.Get(wire.HeaderTicket); len(ticket) <= maxTicket {
		s.heard = ticket
	}
	return s.verdict(got)
}

// reply is an answer read to its end or to a limit.
type reply struct {
	status int
	header http.Header
	text   []byte
}

// exchange sends the request and reads at most limit bytes of the answer.
func exchange(client *http.Client, req *http.Request, limit int64) (reply, error) {
	resp, err := client.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = resp.Body.Close() }() // only read from
	text, err := io.ReadAll(io.LimitReader(resp.Body, limit))
	if err != nil {
		return reply{}, fmt.Errorf("read answer: %w", err)
	}
	return reply{resp.StatusCode, resp.Header, text}, nil
}

func setHeaders(h http.Header, kind wire.Kind, version string) {
	h.Set("User-Agent", "plimsoll-agent/"+version)
	// A connection the collector closed while it was idle may be tried again:
	// the same record twice changes nothing there. Not sent on the wire.
	h["Idempotency-Key"] = nil
	switch kind {
	case wire.KindNote:
		h.Set("Content-Type", "application/json")
	case wire.KindBatch1:
		h.Set("Content-Type", wire.ContentType1)
		h.Set("Content-Encoding", "snappy")
		h.Set("X-Prometheus-Remote-Write-Version", "0.1.0")
	default:
		h.Set("Content-Type", wire.ContentType2)
		h.Set("Content-Encoding", "snappy")
		h.Set("X-Prometheus-Remote-Write-Version", "2.0.0")
	}
}

// verdict is what an answer means for the record.
func (s *Shipper) verdict(got reply) error {
	if got.status >= 200 && got.status <= 299 {
		return nil
	}
	reason := shown(got.text)
	switch got.status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return &refusedError{status: got.status, reason: reason}
	}
	return &laterError{status: got.status, after: retryAfter(got.header, s.opt.Now()), reason: reason}
}

// shown is an answer's text on one line, bounded.
func shown(text []byte) string {
	line := strings.Join(strings.Fields(strings.ToValidUTF8(string(text[:min(len(text), maxShown)]), "")), " ")
	if line == "" {
		return "no reason given"
	}
	return line
}

// noteOffset estimates how far this host's clock is ahead of the collector's:
// its time against the middle of the round trip.
func (s *Shipper) noteOffset(h http.Header, sent wire.Clocks) {
	theirs, err := strconv.ParseInt(h.Get(wire.HeaderTime), 10, 64)
	if err != nil {
		return // not a collector of ours
	}
	got := s.opt.Clocks()
	trip := got.Mono - sent.Mono
	ahead := sent.Wall + trip/2 - theirs
	s.update(func(st *Stats) {
		st.ClockAhead, st.ClockKnown = time.Duration(ahead)*time.Millisecond, true
	})
}
