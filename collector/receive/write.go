package receive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/plimsoll/plimsoll/collector/batch"
	"github.com/plimsoll/plimsoll/internal/journal"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// Answer headers of remote write 2.0; a sender believes in 2.0 only when it sees the first.
const (
	headerSamples    = "X-Prometheus-Remote-Write-Samples-Written"
	headerHistograms = "X-Prometheus-Remote-Write-Histograms-Written"
	headerExemplars  = "X-Prometheus-Remote-Write-Exemplars-Written"
)

// buffers are the scratch of one request.
type buffers struct {
	head, body []byte
	free       func() // of a body that is not in the heap; nil for a usual one
}

func (r *Receiver) scratch() *buffers {
	if buf, ok := r.buffers.Get().(*buffers); ok {
		return buf
	}
	return new(buffers)
}

// putScratch keeps the buffers for the next request, unless they are large.
func (r *Receiver) putScratch(buf *buffers) {
	if buf.free != nil {
		buf.free()
		return
	}
	r.buffers.Put(buf)
}

// read reads size bytes into the body; fewer are an error of io.ReadFull.
func (b *buffers) read(from io.Reader, size int) (n int, err error) {
	switch {
	case size > batch.MaxUsual:
		b.body, b.free = batch.Large(size)
	case cap(b.body) < size:
		b.body = make([]byte, size)
	}
	b.body = b.body[:size]
	return io.ReadFull(from, b.body)
}

// refusal is an answer that is not 2xx.
type refusal struct {
	status int
	reason string // of the counters
	retry  int    // seconds; 0 = no Retry-After
	text   string
}

func (r *Receiver) write(w http.ResponseWriter, req *http.Request) {
	kind, refused := bodyKind(req.Header)
	if refused != nil {
		r.refuse(w, "", refused)
		return
	}
	r.accept(w, req, kind, r.opts.Limits.CompressedBytes)
}

func (r *Receiver) notes(w http.ResponseWriter, req *http.Request) {
	r.accept(w, req, wire.KindNote, wire.MaxNote)
}

// accept takes one record in: who, how much, what, and onto the disk.
func (r *Receiver) accept(w http.ResponseWriter, req *http.Request, kind wire.Kind, limit int) {
	host, refused := r.who(req)
	if refused != nil {
		r.turnAway(w, req, host, refused)
		return
	}
	env, sent, err := wire.FromHeaders(req.Header)
	if err != nil {
		r.refuse(w, host.Instance, &refusal{status: http.StatusBadRequest, reason: string(batch.ReasonMalformed), text: err.Error()})
		return
	}
	done, refused := r.turns.take(&env, sent)
	if refused != nil {
		r.refuse(w, host.Instance, refused)
		return
	}
	defer done()
	leave, refused := r.penances.enter(req.Context(), host.ID)
	if refused != nil {
		r.refuse(w, host.Instance, refused)
		return
	}
	defer func() { leave(refused.forEver()) }()
	buf := r.scratch()
	defer r.putScratch(buf)
	held, refused := r.readBody(w, req, host.ID, buf, limit)
	defer func() { r.budget.give(host.ID, held) }()
	if refused != nil {
		r.refuse(w, host.Instance, refused)
		return
	}
	whole := r.opts.Now()
	env.Kind, env.Host, env.Instance, env.Customer, env.Job = kind, host.ID, host.Instance, host.Customer, r.opts.Job
	env.ReceivedAt = whole.UnixMilli()
	env.Shift = r.clocks.shift(&env, sent)

	decoded, refused := r.take(req.Context(), env, buf, r.decoder.Decode)
	if refused != nil {
		r.refuse(w, host.Instance, refused)
		return
	}
	if decoded.Pos != 0 {
		host.batches.Inc()
		host.samples.Add(float64(len(decoded.Samples)))
		host.bytes.Add(float64(len(buf.body)))
		r.count(req, host, decoded)
	}
	if sent.Wall != 0 {
		host.offset.Set(float64(sent.Wall-env.ReceivedAt) / 1000)
	}
	r.m.ack.Observe(r.opts.Now().Sub(whole).Seconds())
	r.answer(w, host.Instance, decoded)
}

// count notes what is taken without effect: what was sent again, and labels of
// somebody else.
func (r *Receiver) count(req *http.Request, host *member, b *batch.Batch) {
	if r.senders.repeated(host.ID, b.Env.Seq) {
		host.repeated.Inc()
	}
	if b.Overridden > 0 {
		host.overridden.Add(float64(b.Overridden))
		r.refusals.add(host.ID, refusedOverridden, from(req))
	}
}

// readBody reads the whole body into buf within the limits. held is what was
// taken from the budget, also when it is refused.
func (r *Receiver) readBody(w http.ResponseWriter, req *http.Request, host string, buf *buffers, limit int) (held int, _ *refusal) {
	size := limit + 1 // chunked: as if it were the largest
	if req.ContentLength >= 0 {
		size = int(min(req.ContentLength, int64(limit)+1))
	}
	if size > limit && req.ContentLength >= 0 {
		return 0, &refusal{status: http.StatusRequestEntityTooLarge, reason: string(batch.ReasonTooLarge), text: fmt.Sprintf("body of %d bytes, at most %d", req.ContentLength, limit)}
	}
	if refused := r.budget.take(host, size); refused != nil {
		return 0, refused
	}
	// A server without such deadlines (a test's recorder) needs none.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(r.opts.Bounds.deadline(size)))
	n, err := buf.read(req.Body, size)
	if req.ContentLength < 0 && (errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)) {
		err = nil // shorter than the largest, as it should be
	}
	buf.body = buf.body[:n]
	switch {
	case err != nil:
		return size, &refusal{status: http.StatusBadRequest, reason: string(batch.ReasonMalformed), text: fmt.Sprintf("body cut short: %v", err)}
	case len(buf.body) > limit:
		return size, &refusal{status: http.StatusRequestEntityTooLarge, reason: string(batch.ReasonTooLarge), text: fmt.Sprintf("body of more than %d bytes", limit)}
	}
	return size, nil
}

// decoding makes a batch of a body.
type decoding func(wire.Envelope, []byte) (*batch.Batch, error)

// take decodes, journals and publishes a record. When it returns without a
// refusal the record is on the disk.
func (r *Receiver) take(ctx context.Context, env wire.Envelope, buf *buffers, decode decoding) (*batch.Batch, *refusal) {
	if env.Kind != wire.KindNote {
		size, err := r.decoder.Size(buf.body)
		if err != nil {
			return nil, refusedBody(err)
		}
		if refused := r.budget.take(env.Host, size); refused != nil {
			return nil, refused
		}
		defer r.budget.give(env.Host, size)
		if size > batch.MaxUsual {
			decode = r.inTurn(ctx, decode)
		}
	}
	decoded, err := decode(env, buf.body)
	if err != nil {
		return nil, refusedBody(err)
	}
	body := buf.body
	if decoded.Partial() != nil || decoded.Renamed {
		if len(decoded.Samples) == 0 {
			return decoded, nil // nothing was accepted: nothing to keep
		}
		// The journal gets what was accepted, so that reading it again
		// cannot accept more; its times and names are corrected already.
		env.Kind, env.Shift, body = accepted(env.Kind), 0, batch.Encode(decoded.Samples)
		decoded.Env.Kind, decoded.Env.Shift = env.Kind, 0
	}
	buf.head = env.Append(buf.head[:0])
	pos, err := r.opts.Journal.Append(buf.head, body)
	if err != nil {
		return nil, r.journalRefused(err)
	}
	if r.refusing.CompareAndSwap(true, false) {
		r.opts.Log.Info("journal takes records again")
	}
	decoded.Pos = pos
	r.feed.ring.put(decoded)
	return decoded, nil
}

// inTurn is decode of a large body.
func (r *Receiver) inTurn(ctx context.Context, decode decoding) decoding {
	return func(env wire.Envelope, body []byte) (*batch.Batch, error) {
		done, ok := r.heavy.enter(ctx)
		if !ok {
			return nil, errGone
		}
		defer done()
		return decode(env, body)
	}
}

// errGone is a request that ended before its turn.
var errGone = errors.New("the request ended before its turn")

func refusedBody(err error) *refusal {
	if whole := new(batch.Error); errors.As(err, &whole) {
		return &refusal{status: whole.Status, reason: string(whole.Reason), text: whole.Detail}
	}
	if ledger := new(unreachable); errors.As(err, &ledger) {
		return &refusal{status: http.StatusServiceUnavailable, reason: "ledger", retry: 5, text: "the collector cannot list hosts now"}
	}
	if errors.Is(err, errGone) {
		return gone()
	}
	return &refusal{status: http.StatusBadRequest, reason: string(batch.ReasonMalformed), text: err.Error()}
}

// gone answers a request that ended; a proxy may still hear it.
func gone() *refusal {
	return &refusal{status: http.StatusServiceUnavailable, reason: "gone", retry: 1, text: errGone.Error()}
}

// accepted is the kind of what batch.Encode makes of a body of that kind.
func accepted(kind wire.Kind) wire.Kind {
	if kind.Foreign() {
		return wire.KindForeign1
	}
	return wire.KindBatch1
}

// journalRefused says the change of state once, not once per request.
func (r *Receiver) journalRefused(err error) *refusal {
	if errors.Is(err, journal.ErrTooLarge) {
		return &refusal{status: http.StatusRequestEntityTooLarge, reason: string(batch.ReasonTooLarge), text: err.Error()}
	}
	if r.refusing.CompareAndSwap(false, true) {
		r.opts.Log.Error("journal takes no records: agents keep theirs and come back (free space on the data directory's disk)", "err", err)
	}
	if errors.Is(err, journal.ErrFull) {
		return &refusal{status: http.StatusServiceUnavailable, reason: "journal_full", retry: 30, text: "the collector's journal is full"}
	}
	return &refusal{status: http.StatusServiceUnavailable, reason: "journal", retry: 10, text: "the collector cannot write its journal"}
}

// answer is 204, or 400 when samples of the body were refused.
func (r *Receiver) answer(w http.ResponseWriter, instance string, b *batch.Batch) {
	for _, rej := range b.Rejected {
		r.m.rejected.WithLabelValues(string(rej.Reason), instance).Add(float64(rej.Count))
	}
	if b.Note == nil {
		h := w.Header()
		h[headerSamples] = []string{strconv.Itoa(len(b.Samples))}
		h[headerHistograms] = []string{"0"}
		h[headerExemplars] = []string{"0"}
	}
	if b.Partial() != nil {
		n, why := b.Refused()
		http.Error(w, fmt.Sprintf("%d samples written, %d refused: %s", len(b.Samples), n, why), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (r *Receiver) refuse(w http.ResponseWriter, instance string, why *refusal) {
	if why.status == http.StatusServiceUnavailable {
		r.m.unavailable.WithLabelValues(why.reason).Inc()
	} else {
		r.m.rejected.WithLabelValues(why.reason, instance).Inc()
	}
	if why.retry > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(why.retry))
	}
	http.Error(w, why.text, why.status)
}

// bodyKind reads Content-Type and Content-Encoding.
func bodyKind(h http.Header) (wire.Kind, *refusal) {
	if enc := h.Get("Content-Encoding"); enc != "" && enc != "snappy" {
		return 0, &refusal{status: http.StatusUnsupportedMediaType, reason: "content_type", text: fmt.Sprintf("Content-Encoding %q: want snappy", enc)}
	}
	switch ct := h.Get("Content-Type"); ct { // as agents and Prometheus write it
	case wire.ContentType2:
		return wire.KindBatch2, nil
	case wire.ContentType1, "":
		return wire.KindBatch1, nil
	default:
		media, params, err := mime.ParseMediaType(ct)
		switch {
		case err != nil || media != wire.ContentType1:
		case params["proto"] == "io.prometheus.write.v2.Request":
			return wire.KindBatch2, nil
		case params["proto"] == "" || params["proto"] == "prometheus.WriteRequest":
			return wire.KindBatch1, nil
		}
		return 0, &refusal{status: http.StatusUnsupportedMediaType, reason: "content_type", text: fmt.Sprintf("Content-Type %q: want %s, plain or with ;proto=io.prometheus.write.v2.Request", ct, wire.ContentType1)}
	}
}
