// Package batch turns the body of a record into samples, once.
//
//	body ─▶ sizes and ratio checked ─▶ snappy ─▶ protobuf walked, no message built
//	                                                │
//	   per host: shape of the last bodies           ▼
//	   symbols section, i-th label section ──▶ same bytes as last time: same *Series
//	                                           else: labels parsed, checked, interned
//
// A host sends the same label sections again and again. The decoder keeps
// them per host as raw bytes and compares, so a repeated batch costs neither
// label parsing nor an allocation per series. The labels job, instance and
// customer come from the envelope (the host's certificate), never from the
// body.
//
// Remote write 1.0 and 2.0 and notes are understood. Native histograms and
// exemplars are counted and skipped.
package batch
