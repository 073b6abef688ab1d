package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Kind tells what the body of a record is.
type Kind uint8

// The kinds of record. Their values are on disk and never change.
const (
	KindBatch1 Kind = 1 // snappy-compressed prometheus.WriteRequest (remote write 1.0)
	KindBatch2 Kind = 2 // snappy-compressed io.prometheus.write.v2.Request (remote write 2.0)
	KindNote   Kind = 3 // JSON of a Note
	// What a foreign sender brings, of many hosts at once: Host and Instance
	// are the sender's, those of each series are in the body.
	KindForeign1 Kind = 4 // as KindBatch1
	KindForeign2 Kind = 5 // as KindBatch2
)

// Foreign tells whether the body came from a foreign sender.
func (k Kind) Foreign() bool { return k == KindForeign1 || k == KindForeign2 }

// Clocks are the three clocks of a host read together, in milliseconds.
// Boot counts since boot including suspend, Mono without it; both survive a
// wall clock that is set.
type Clocks struct {
	Wall int64 // Unix milliseconds, UTC
	Boot int64 // CLOCK_BOOTTIME
	Mono int64 // CLOCK_MONOTONIC
}

// MaxClockError is how far a host's wall clock may be off before that is a
// fault and the times of its records are corrected: below it, the way of a
// record may be the cause.
const MaxClockError = 5 * time.Second

// Envelope is what travels with each body. The agent fills Kind to Clocks;
// the collector adds the identity it took from the certificate and the
// instant of receipt, never from anything in the body.
type Envelope struct {
	Kind   Kind
	Run    string // random, one per start of the agent process
	Boot   string // the kernel's boot id
	Seq    uint64 // 1, 2, 3 … in the agent's journal: a hole proves a loss
	Clocks Clocks // at collection

	Host       string // stable id, from the certificate
	Instance   string // the host's name at that moment
	Customer   string // whose host it is; empty when there is one customer
	Job        string // "node" for agents; empty for a foreign sender, whose series bring theirs
	Labels     string // of a foreign sender: the labels its series are given, as a=b,c=d
	ReceivedAt int64  // Unix milliseconds by the collector's clock; 0 in an agent
	// Shift is added to each time in the body, in milliseconds: the collector
	// found the host's clock wrong by that much. It is decided once, when the
	// record comes, so that reading the record again gives the same times.
	Shift int64
}

// The first byte of an encoded envelope. A record with a Shift has the second
// version, so that a program that does not know of it refuses it.
const (
	envelopeVersion = 1
	envelopeShifted = 2
	envelopeForeign = 3 // of a foreign sender: no Shift, and Labels behind the texts
)

// maxField bounds each text of an envelope, in bytes.
const maxField = 1024

// ErrEnvelope is wrapped by each error of Split.
var ErrEnvelope = errors.New("malformed envelope")

// Append encodes e behind dst. The body follows the returned bytes in the
// same record; Split takes the two apart.
func (e *Envelope) Append(dst []byte) []byte {
	version := byte(envelopeVersion)
	switch {
	case e.Kind.Foreign():
		version = envelopeForeign
	case e.Shift != 0:
		version = envelopeShifted
	}
	dst = append(dst, version, byte(e.Kind))
	if version == envelopeShifted {
		dst = binary.AppendVarint(dst, e.Shift)
	}
	dst = binary.AppendUvarint(dst, e.Seq)
	for _, v := range [...]int64{e.Clocks.Wall, e.Clocks.Boot, e.Clocks.Mono, e.ReceivedAt} {
		dst = binary.AppendVarint(dst, v)
	}
	texts := [...]string{e.Run, e.Boot, e.Host, e.Instance, e.Customer, e.Job, e.Labels}
	for _, s := range texts[:textsOf(version)] {
		if len(s) > maxField {
			s = s[:maxField]
		}
		dst = binary.AppendUvarint(dst, uint64(len(s)))
		dst = append(dst, s...)
	}
	return dst
}

// Split decodes the envelope at the start of record and returns the body that
// follows it, a part of record itself.
func Split(record []byte) (Envelope, []byte, error) {
	var e Envelope
	if len(record) < 2 || record[0] < envelopeVersion || record[0] > envelopeForeign {
		return e, nil, fmt.Errorf("%w: version", ErrEnvelope)
	}
	e.Kind = Kind(record[1])
	if e.Kind < KindBatch1 || e.Kind > KindForeign2 || e.Kind.Foreign() != (record[0] == envelopeForeign) {
		return e, nil, fmt.Errorf("%w: kind %d", ErrEnvelope, e.Kind)
	}
	rest := record[2:]
	var n int
	if record[0] == envelopeShifted {
		if e.Shift, n = binary.Varint(rest); n <= 0 {
			return e, nil, fmt.Errorf("%w: shift", ErrEnvelope)
		}
		rest = rest[n:]
	}
	if e.Seq, n = binary.Uvarint(rest); n <= 0 {
		return e, nil, fmt.Errorf("%w: sequence", ErrEnvelope)
	}
	rest = rest[n:]
	for _, p := range [...]*int64{&e.Clocks.Wall, &e.Clocks.Boot, &e.Clocks.Mono, &e.ReceivedAt} {
		if *p, n = binary.Varint(rest); n <= 0 {
			return e, nil, fmt.Errorf("%w: clock", ErrEnvelope)
		}
		rest = rest[n:]
	}
	texts := [...]*string{&e.Run, &e.Boot, &e.Host, &e.Instance, &e.Customer, &e.Job, &e.Labels}
	for _, p := range texts[:textsOf(record[0])] {
		l, n := binary.Uvarint(rest)
		if n <= 0 || l > maxField || uint64(len(rest)-n) < l {
			return e, nil, fmt.Errorf("%w: text", ErrEnvelope)
		}
		*p = string(rest[n : n+int(l)])
		rest = rest[n+int(l):]
	}
	return e, rest, nil
}

// textsOf is how many texts an envelope of that version has.
func textsOf(version byte) int {
	if version == envelopeForeign {
		return 7
	}
	return 6
}
