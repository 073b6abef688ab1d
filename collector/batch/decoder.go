package batch

import (
	"slices"
	"sync"
	"time"

	"github.com/klauspost/compress/snappy"

	"github.com/plimsoll/plimsoll/internal/wire"
)

// idleHost is how long the tables of a silent host are kept.
const idleHost = 2 * time.Hour

// MaxUsual is the size of a usual body, in bytes; beyond it stands Large.
const MaxUsual = 1 << 20

// Decoder decodes bodies and remembers, per host, the label sections it has
// seen. Safe for concurrent use; bodies of one host are decoded one by one.
type Decoder struct {
	limits  Limits
	buffers sync.Pool // *[]byte, up to MaxUsual

	mu    sync.RWMutex
	hosts map[identity]*host
	swept int64 // Unix ms by ReceivedAt
}

// identity is what labels depend on beside the body.
type identity struct {
	host, instance, customer, job string
	foreign                       bool
	labels                        string
}

// NewDecoder makes a decoder with empty tables.
func NewDecoder(limits Limits) *Decoder {
	return &Decoder{limits: limits, hosts: map[identity]*host{}}
}

// Decode decodes the body of a record. A body refused as a whole gives an
// *Error; single samples left out are counted in Batch.Rejected. "Now" is
// rec.ReceivedAt: the same record decodes to the same samples at any time,
// but for SeriesPerHost, which depends on what the decoder saw before.
// Nothing of body is kept.
func (d *Decoder) Decode(rec wire.Envelope, body []byte) (*Batch, error) {
	if rec.Kind == wire.KindNote {
		return decodeNote(rec, body)
	}
	return d.decode(rec, body, nil)
}

func (d *Decoder) decode(rec wire.Envelope, body []byte, names *Names) (*Batch, error) {
	size, err := d.Size(body)
	if err != nil {
		return nil, err
	}
	into, done := d.buffer(size)
	defer done()
	decoded, err := snappy.Decode(into, body)
	if err != nil {
		return nil, malformed("snappy data damaged or cut short")
	}

	h := d.host(rec)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rotate(rec.ReceivedAt)
	if h.foreign != nil {
		h.use(names)
	}
	w := walk{oldest: 1, limits: &d.limits, host: h, horizon: rec.ReceivedAt + d.limits.Ahead.Milliseconds(), shift: rec.Shift, batch: &Batch{Env: rec}}
	if d.limits.Behind > 0 {
		w.oldest = max(1, rec.ReceivedAt-d.limits.Behind.Milliseconds())
	}
	switch rec.Kind {
	case wire.KindBatch1, wire.KindForeign1:
		err = w.write1(decoded)
	case wire.KindBatch2, wire.KindForeign2:
		err = w.write2(decoded)
	default:
		return nil, malformed("kind %d", rec.Kind)
	}
	if err != nil {
		return nil, err
	}
	if err := h.missing(); err != nil {
		return nil, err
	}
	if n := len(w.batch.Samples); cap(w.batch.Samples) > 2*n+1024 {
		w.batch.Samples = slices.Clone(w.batch.Samples) // it is kept for a while
	}
	h.hint = len(w.batch.Samples)
	return w.batch, nil
}

// buffer gives n bytes to decode into, and what gives them back.
func (d *Decoder) buffer(n int) (buf []byte, done func()) {
	if n > MaxUsual {
		return Large(n)
	}
	kept, _ := d.buffers.Get().(*[]byte)
	if kept == nil || cap(*kept) < n {
		fresh := make([]byte, max(n, 4<<10))
		kept = &fresh
	}
	return (*kept)[:n], func() { d.buffers.Put(kept) }
}

// Size is what body will occupy when decoded, in bytes, or the *Error with
// which Decode will refuse it. It looks at the first bytes only.
func (d *Decoder) Size(body []byte) (int, error) {
	if len(body) > d.limits.CompressedBytes {
		return 0, tooBig(ReasonTooLarge, "body of %d bytes, at most %d", len(body), d.limits.CompressedBytes)
	}
	n, err := snappy.DecodedLen(body)
	switch {
	case err != nil:
		return 0, malformed("not snappy (block format)")
	case n > d.limits.DecodedBytes:
		return 0, tooBig(ReasonTooLarge, "body says it decodes to %d bytes, at most %d", n, d.limits.DecodedBytes)
	case n > d.limits.Ratio*len(body):
		return 0, tooBig(ReasonRatio, "body of %d bytes says it decodes to %d: more than %d times its size", len(body), n, d.limits.Ratio)
	}
	return n, nil
}

// host finds or makes the tables of the record's host.
func (d *Decoder) host(rec wire.Envelope) *host {
	key := identity{rec.Host, rec.Instance, rec.Customer, rec.Job, rec.Kind.Foreign(), rec.Labels}
	d.mu.RLock()
	h := d.hosts[key]
	d.mu.RUnlock()
	if h != nil {
		return h
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if h = d.hosts[key]; h != nil {
		return h
	}
	d.sweep(rec.ReceivedAt)
	h = newHost(key, &d.limits)
	d.hosts[key] = h
	return h
}

// sweep forgets hosts that have been silent, at most once a minute.
func (d *Decoder) sweep(now int64) {
	if now-d.swept < time.Minute.Milliseconds() {
		return
	}
	d.swept = now
	for key, h := range d.hosts {
		h.mu.Lock()
		if now-h.used > idleHost.Milliseconds() {
			delete(d.hosts, key)
		}
		h.mu.Unlock()
	}
}

// Series is the number of series in the decoder's tables.
func (d *Decoder) Series() int {
	d.mu.RLock()
	defer d.mu.RUnlock()
	n := 0
	for _, h := range d.hosts {
		h.mu.Lock()
		n += h.active
		h.mu.Unlock()
	}
	return n
}
