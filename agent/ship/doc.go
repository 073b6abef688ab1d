// Package ship delivers what the buffer holds to the collector.
//
//	buffer ──peek──▶ POST ──2xx──▶ acknowledge
//	                   ├─ 400, 413, 415, 422 ─▶ quarantine file, acknowledge
//	                   └─ anything else ──────▶ wait (full jitter, Retry-After), again
//
// After an absence the youngest record goes first and what piled up follows,
// oldest first, whenever nothing younger is waiting:
//
//	delivered │  older   │ delivered │ older │ live ▶
//	──────────┼──────────┼───────────┼───────┼───────
//	      the cursor: nothing beyond it is forgotten by a restart
//
// The durable cursor stands before the oldest record that is not delivered;
// what was delivered beyond it is sent once more after a restart, which the
// collector does not mind.
package ship
