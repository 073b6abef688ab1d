package batch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
)

// walk is the decoding of one body.
type walk struct {
	limits  *Limits
	host    *host
	horizon int64 // a later sample is refused, Unix ms
	oldest  int64 // an earlier one too; after 1970
	shift   int64 // added to each time: the host's clock was wrong, ms
	batch   *Batch
	likely  int // entry of the shape that the next section probably is
}

// grow makes room for the samples of the body: as many as the last one had.
func (w *walk) grow() {
	if w.host.hint > 0 {
		w.batch.Samples = make([]Sample, 0, min(w.host.hint+8, w.limits.Samples))
	}
}

// sample decodes a Sample message (both versions: value is field 1, the
// timestamp field 2) and appends it without its series.
func (w *walk) sample(m []byte) error {
	var s Sample
	for i := 0; i < len(m); {
		var t uint64
		if t, i = uvarint(m, i); i < 0 {
			return malformed("sample")
		}
		switch {
		case t == tag(1, wireI64) && len(m)-i >= 8:
			s.V = math.Float64frombits(binary.LittleEndian.Uint64(m[i:]))
			i += 8
		case t == tag(2, wireVarint):
			var v uint64
			if v, i = uvarint(m, i); i < 0 {
				return malformed("timestamp of a sample")
			}
			s.T = w.at(v)
		default:
			if i = skip(m, i, t); i < 0 {
				return malformed("sample")
			}
		}
	}
	if s.T > 0 && s.T < w.oldest {
		w.batch.reject(ReasonOld, 1, func() string {
			return fmt.Sprintf("timestamp %d ms is more than %v behind the collector's clock", s.T, w.limits.Behind)
		})
		return nil
	}
	if s.T <= 0 || s.T > w.horizon {
		w.batch.reject(ReasonTimestamp, 1, func() string {
			if s.T <= 0 {
				return fmt.Sprintf("timestamp %d ms is not after 1970", s.T)
			}
			return fmt.Sprintf("timestamp %d ms is more than %v ahead of the collector's clock", s.T, w.limits.Ahead)
		})
		return nil
	}
	if len(w.batch.Samples) >= w.limits.Samples {
		return tooBig(ReasonTooMany, "more than %d samples in one body", w.limits.Samples)
	}
	w.batch.Samples = append(w.batch.Samples, s)
	return nil
}

// lone decodes a sample that is alone in its series and written the usual
// way: field, value, timestamp. ok is false for everything else.
func (w *walk) lone(m []byte, field byte) bool {
	if len(m) < 13 || m[0] != field || int(m[1]) != len(m)-2 || m[1] >= 0x80 || m[2] != 1<<3|wireI64 || m[11] != 2<<3|wireVarint {
		return false
	}
	t, end := uint64(0), 12
	for shift := 0; ; shift += 7 {
		if end == len(m) || shift > 56 {
			return false
		}
		b := m[end]
		end++
		t |= uint64(b&0x7f) << shift
		if b < 0x80 {
			break
		}
	}
	at := w.at(t)
	if end != len(m) || at < w.oldest || at > w.horizon || len(w.batch.Samples) >= w.limits.Samples {
		return false
	}
	w.batch.Samples = append(w.batch.Samples, Sample{T: at, V: math.Float64frombits(binary.LittleEndian.Uint64(m[3:]))})
	return true
}

// farTime is beyond any time that a shift makes sense for, about the year
// 142 000: adding to it could overflow.
const farTime = 1 << 52

// at is the time of a sample, corrected. A time that cannot be is left as it
// is, for the bounds to refuse.
func (w *walk) at(t uint64) int64 {
	if at := int64(t); at > -farTime && at < farTime {
		return at + w.shift
	}
	return int64(t)
}

// assign gives the samples from index from on the series of entry i.
func (w *walk) assign(from int, sh *shape, i int) {
	e := &sh.entries[i]
	w.likely = i + 1
	own := w.batch.Samples[from:]
	for i := range own {
		own[i].Series = e.series
	}
	if e.renamed {
		w.batch.Renamed = true
	}
	if e.forged {
		w.batch.Overridden++
	}
	if e.fact {
		w.batch.Facts = append(w.batch.Facts, own...)
	}
}

// refuse drops the samples from index from on, because of err. When err is
// about the whole body, refuse returns it.
func (w *walk) refuse(from int, err error) error {
	n := max(len(w.batch.Samples)-from, 1)
	w.batch.Samples = w.batch.Samples[:from]
	reason, detail := ReasonLabels, err.Error
	switch { // those first that come by the million
	case errors.Is(err, errSeriesLimit):
		reason, detail = ReasonSeriesLimit, w.host.tooMany
	case errors.Is(err, errNoName):
	case errors.Is(err, errUnlisted): // the body is decoded again
		return nil
	case errors.Is(err, errHosts):
		reason, detail = ReasonHosts, w.host.tooManyHosts
	case errors.Is(err, errNewSeries):
		reason, detail = ReasonNewSeries, w.host.tooFast
	default:
		if whole := new(Error); errors.As(err, &whole) {
			return whole
		}
	}
	w.batch.reject(reason, n, detail)
	return nil
}

// tooManyHosts says whose hosts_limit refused which instance.
func (h *host) tooManyHosts() string {
	return fmt.Sprintf("sender %s brings %d hosts already; further ones (such as %s) are refused", h.id.instance, h.limits.HostsPerSender, clip(h.refused, 60))
}

// tooMany says whose series limit refused which metric.
func (h *host) tooMany() string {
	whose, active := "sender "+h.id.instance, h.active
	if h.because != nil {
		whose, active = "host "+h.because.name, h.because.active
	}
	return fmt.Sprintf("%s has %d active series already; new ones (such as %s) are refused until some have been silent for %v",
		whose, active, clip(h.refused, 60), 2*time.Hour)
}

// tooFast is tooMany for the rate of new series.
func (h *host) tooFast() string {
	return fmt.Sprintf("host %s brings new series (such as %s) faster than %d a minute", h.because.name, clip(h.refused, 60), h.limits.NewSeries)
}

// skipped counts the parts of a series that are not kept.
func (w *walk) skipped(reason Reason, n int) {
	if n > 0 {
		w.batch.reject(reason, n, func() string { return string(reason) + "s are not kept" })
	}
}
