// Package receive is the agents' side of the collector: what comes in is
// proven, checked, fsynced, and only then acknowledged.
//
//	TCP ─▶ TLS 1.3, client certificate of our authority ──▶ host id
//	         │ (server name enrol.plimsoll: no certificate, enrolment alone;
//	         │  renew.plimsoll: one that has expired as well, renewal alone)
//	         ▼
//	POST /api/v1/write ─▶ sizes, budget ─▶ decode ─▶ journal (fsync) ─▶ 204
//	POST /api/v1/notes ─▶                   │          │
//	                                        ▼          ▼
//	                                       ring      journal
//	                                        └─── Feed ──┘ ─▶ series, fold
//
// A batch is decoded once. Consumers that keep up get that very batch from
// the ring; those behind, or started later, get it from the journal. The ring
// never waits for them.
//
// Refusals: 400 and 413 are for ever (the agent sets the record aside),
// 401 and 403 need a person, 503 with Retry-After means later.
package receive
