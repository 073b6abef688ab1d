package batch

import (
	"fmt"
	"strings"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/plimsoll/plimsoll/internal/journal"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// FactKind tells whether the samples of a series are facts about availability.
type FactKind uint8

// The kinds of fact.
const (
	FactNone  FactKind = iota
	FactHost           // series `up` of a host: it is there
	FactCheck          // series `plimsoll_check_state`: 1 up, 0.5 degraded, 0 down
	FactProbe          // series `probe_success` of a foreign sender: 1 up, 0 down
)

// Names that make a series a fact.
const (
	upName         = "up"
	checkStateName = "plimsoll_check_state"
	probeName      = "probe_success"
)

// ProbePrefix begins the component of a foreign sender's probe_success; that of
// its `up` is job/instance.
const ProbePrefix = "probe/"

// Series is one series of one host. The decoder gives the same pointer for
// the same labels as long as the series stays active. Everything but Ref is
// immutable.
type Series struct {
	Labels    labels.Labels // identity applied: job, instance, customer
	Ref       uint64        // of the series store; owned by its writer goroutine alone
	Fact      FactKind
	Component string // of the fact: the instance for `up`, label component for a check
	Host      string // id of its host when it came from a foreign sender, else empty

	owner *owner
	hash  uint64
	seen  uint32  // generation of the host's table it was last asked for in
	next  *Series // with the same hash
}

// Sample is one value of one series.
type Sample struct {
	Series *Series
	T      int64 // Unix milliseconds
	V      float64
}

// Batch is a decoded record. It is shared by its consumers and read only.
type Batch struct {
	Pos     journal.Position // 0 until it is in the journal
	Env     wire.Envelope
	Samples []Sample // in the order of the body
	Facts   []Sample // those of Samples whose series is a fact
	Note    *wire.Note
	// Renamed tells that an instance is listed under another name than it has
	// in the body.
	Renamed bool
	// Overridden counts the series in the body that came with the instance or
	// customer of somebody else.
	Overridden int
	// Rejected names the samples that were left out, by reason. What it
	// counts is in no other field. Empty for nearly every batch.
	Rejected []Rejection
}

// Rejection counts what was left out of a batch for one reason.
type Rejection struct {
	Reason Reason
	Count  int    // samples; series for ReasonHistogram and ReasonExemplar
	Detail string // the first case in words, at most 200 bytes
}

// reject adds n to the count of reason. detail is called only for the first.
func (b *Batch) reject(reason Reason, n int, detail func() string) {
	for i := range b.Rejected {
		if b.Rejected[i].Reason == reason {
			b.Rejected[i].Count += n
			return
		}
	}
	b.Rejected = append(b.Rejected, Rejection{Reason: reason, Count: n, Detail: clip(detail(), 200)})
}

// Partial is the first rejection that the sender must hear of (as status 400),
// or nil. Skipped histograms and exemplars are not its fault.
func (b *Batch) Partial() *Rejection {
	for i := range b.Rejected {
		if r := b.Rejected[i].Reason; r != ReasonHistogram && r != ReasonExemplar {
			return &b.Rejected[i]
		}
	}
	return nil
}

// Refused are all rejections that the sender must hear of: how many samples,
// and in words how many of each kind with its first case.
func (b *Batch) Refused() (n int, why string) {
	var parts []string
	for _, r := range b.Rejected {
		if r.Reason != ReasonHistogram && r.Reason != ReasonExemplar {
			n += r.Count
			parts = append(parts, fmt.Sprintf("%d for %s: %s", r.Count, r.Reason, r.Detail))
		}
	}
	return n, strings.Join(parts, "; ")
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n] + "…"
}
