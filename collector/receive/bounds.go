package receive

import "time"

// Bounds are the limits of connections and of bodies under way; those of one
// body are batch.Limits. What they refuse is counted by reason in
// plimsoll_receive_handshake_failures_total and plimsoll_receive_unavailable_total.
type Bounds struct {
	Connections          int           // open at once
	ConnectionsPerHost   int           // of one certificate
	ConnectionsPerSender int           // from one address without a certificate: foreign senders, enrolments
	Handshakes           int           // at once
	HandshakesPerAddress int           // at once: a fleet behind one address must be able to come back
	InflightBytes        int64         // of all bodies being worked on, decoded size included
	InflightPerHost      int64         // of those of one host or sender
	MinRate              int           // at which a body must come, bytes a second
	Header               time.Duration // within which the head of a request must come
}

// DefaultBounds are those of a collector whose configuration names none.
func DefaultBounds() Bounds {
	return Bounds{
		Connections:          20_000,
		ConnectionsPerHost:   8,
		ConnectionsPerSender: 256,
		Handshakes:           512,
		HandshakesPerAddress: 128,
		InflightBytes:        64 << 20,
		InflightPerHost:      28 << 20,
		MinRate:              16 << 10,
		Header:               5 * time.Second,
	}
}

// patience is what a body has beside the time its size allows it.
const patience = 10 * time.Second

// deadline is when a body of that size must be there, from now.
func (b *Bounds) deadline(size int) time.Duration {
	return patience + time.Duration(size/b.MinRate)*time.Second
}
