// Package people says who is asking, and what that one may do.
//
//	password ─▶ Door.Login ──────▶ session id (cookie; the ledger keeps its hash)
//	cookie ───▶ Door.BySession ─┐
//	bearer ───▶ Door.ByToken ───┼─▶ Visitor ─▶ Table.Allows(route, visitor) ─▶ handler
//	data dir ─▶ Host ───────────┤
//	no user ──▶ Anybody ────────┘   loopback alone
//
//	access.go    the one table of route x role, deny by default
//	password.go  argon2id with its parameters beside the hash; what is refused
//	limiter.go   how often one user and one address may try
//
// No secret is kept: passwords as argon2id, session ids, token secrets and
// set-up links as SHA-256 of 256 random bits. Time is a parameter. What is
// stored goes through Store, which writes the audit entry in the same
// transaction.
package people
