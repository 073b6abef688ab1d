package wire

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Paths of the agents' listener.
const (
	WritePath = "/api/v1/write" // remote write 1.0 and 2.0; needs a client certificate
	NotesPath = "/api/v1/notes" // one Note; needs a client certificate
	// ChecksPath answers GET with the Checks of the host whose certificate
	// asks; it has an ETag and knows If-None-Match.
	ChecksPath = "/api/v1/checks"
	EnrolPath  = "/api/v1/enrol" // EnrolRequest ─▶ EnrolResponse; served only under EnrolServerName
	RenewPath  = "/api/v1/renew" // RenewRequest ─▶ RenewResponse; needs a client certificate, expired ones under RenewServerName
)

// EnrolServerName is the TLS server name (SNI) under which the agents'
// listener asks for no client certificate and serves EnrolPath alone. Under
// any other name the handshake itself fails without a certificate of ours.
const EnrolServerName = "enrol.plimsoll"

// SenderServerName is the TLS server name under which a foreign sender, a
// Prometheus or the like, comes with a token in place of a certificate. Of the
// listener's paths it opens WritePath alone.
const SenderServerName = "senders.plimsoll"

// RenewServerName is the TLS server name under which a certificate of ours
// that has expired is let in as well, to RenewPath alone.
const RenewServerName = "renew.plimsoll"

// CollectorServerName is the name in the collector's certificate that agents verify.
const CollectorServerName = "collector.plimsoll"

// Headers that carry the envelope. A foreign remote-write receiver ignores them.
const (
	HeaderRun   = "Plimsoll-Run"
	HeaderBoot  = "Plimsoll-Boot"
	HeaderSeq   = "Plimsoll-Seq"
	HeaderClock = "Plimsoll-Clock"      // wall,boot,mono in ms at collection
	HeaderSent  = "Plimsoll-Clock-Sent" // the same at sending
	// HeaderTime is in each answer of the collector: its wall clock in Unix
	// milliseconds, so that an agent knows its offset.
	HeaderTime = "Plimsoll-Time"
)

// Headers that tell a cloned host from one that was restarted. HeaderRun is
// the run that recorded a batch, which may be over; these are of the process
// that sends it now.
const (
	HeaderSender = "Plimsoll-Sender" // the run of the sending process
	// HeaderTicket is in each answer of the collector, an opaque text that
	// grows; HeaderHeard repeats the last one the process has heard, which
	// proves that it was alive after that answer was made.
	HeaderTicket = "Plimsoll-Ticket"
	HeaderHeard  = "Plimsoll-Heard"
)

// Content types and encodings of remote write.
const (
	ContentType1 = "application/x-protobuf"
	ContentType2 = "application/x-protobuf;proto=io.prometheus.write.v2.Request"
)

// SetHeaders writes the envelope's agent part into h.
func (e *Envelope) SetHeaders(h http.Header, sent Clocks) {
	h.Set(HeaderRun, e.Run)
	h.Set(HeaderBoot, e.Boot)
	h.Set(HeaderSeq, strconv.FormatUint(e.Seq, 10))
	h.Set(HeaderClock, e.Clocks.String())
	h.Set(HeaderSent, sent.String())
}

// FromHeaders reads what SetHeaders wrote. A sender without these headers
// (a plain remote-write client) gives an empty envelope and no error.
func FromHeaders(h http.Header) (e Envelope, sent Clocks, err error) {
	e.Run, e.Boot = h.Get(HeaderRun), h.Get(HeaderBoot)
	if len(e.Run) > maxField || len(e.Boot) > maxField {
		return e, sent, fmt.Errorf("%w: %s or %s longer than %d bytes", ErrEnvelope, HeaderRun, HeaderBoot, maxField)
	}
	if s := h.Get(HeaderSeq); s != "" {
		if e.Seq, err = strconv.ParseUint(s, 10, 64); err != nil {
			return e, sent, fmt.Errorf("%w: header %s: %q is not a number", ErrEnvelope, HeaderSeq, s)
		}
	}
	for name, c := range map[string]*Clocks{HeaderClock: &e.Clocks, HeaderSent: &sent} {
		if s := h.Get(name); s != "" {
			if *c, err = ParseClocks(s); err != nil {
				return e, sent, fmt.Errorf("header %s: %w", name, err)
			}
		}
	}
	return e, sent, nil
}

// String is the header form: wall,boot,mono in milliseconds.
func (c Clocks) String() string {
	return fmt.Sprintf("%d,%d,%d", c.Wall, c.Boot, c.Mono)
}

// ParseClocks reads the header form.
func ParseClocks(s string) (Clocks, error) {
	var c Clocks
	parts := strings.Split(s, ",")
	if len(parts) != 3 {
		return c, fmt.Errorf("%w: %q is not wall,boot,mono", ErrEnvelope, s)
	}
	for i, p := range [...]*int64{&c.Wall, &c.Boot, &c.Mono} {
		v, err := strconv.ParseInt(parts[i], 10, 64)
		if err != nil {
			return Clocks{}, fmt.Errorf("%w: clock %q is not a number", ErrEnvelope, parts[i])
		}
		*p = v
	}
	return c, nil
}
