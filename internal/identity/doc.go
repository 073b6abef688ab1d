// Package identity says which host is speaking, and proves it.
//
//	collector                                   agent
//	CA (ca.pem, ca.key)
//	token plm1.<secret>.<fingerprint of CA> ──▶ Enrol: key made here, never sent
//	                     ◀── CSR, secret ────── TLS, server proven by the fingerprint
//	SignHost ─────────── certificate ─────────▶ host.key host.pem ca.pem host.json
//	                                            plimsoll://host/<id> in the certificate
//	HostID(certificate) ◀─ mutual TLS 1.3 ───── Identity.ClientTLS
//	                     ◀── CSR, same key ─────  Renew, at two thirds of its life
//	SignHost ─────────── certificate, bundle ─▶ host.pem ca.pem
//
// The collector is its own certificate authority. Identity in stored data
// comes from a certificate it signed, never from anything a host says.
package identity
