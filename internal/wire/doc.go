// Package wire is what an agent and a collector say to each other.
//
//	agent                                              collector
//	collect ─▶ Envelope + body ─▶ journal (fsync)
//	           peek ─▶ POST /api/v1/write ───────────▶ identity from the certificate
//	                   headers = the envelope          Envelope + body ─▶ journal (fsync)
//	           ack  ◀── 2xx ◀──────────────────────────
//
// The record an agent fsyncs is the record it sends and the record the
// collector journals: an Envelope (who, which run, which sequence, which
// clocks) and a body that nobody encodes a second time. A body is a snappy
// compressed Prometheus remote-write message, or a Note (small JSON).
package wire
