// Package quickstart is the first minute of Plimsoll: a collector and an
// agent for this very host in one process, joined by the real, mutually
// authenticated connection; a catalogue made of what is found here; and a
// small sample page that a newcomer may stop, to see an outage being born.
//
//	sample page ◀── http check ── agent ──mTLS──▶ collector ──▶ pages, API, PromQL
//	     ▲                                            │
//	     └──────────── stop / start ◀─── overview ────┘
//
// `plimsoll-collector run` later takes over the same data directory.
package quickstart
