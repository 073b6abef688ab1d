package receive

import (
	"testing"

	"github.com/plimsoll/plimsoll/internal/identity"
	"github.com/plimsoll/plimsoll/internal/wire"
)

func FuzzEnrol(f *testing.F) {
	f.Add([]byte(`{"token":"x","hostname":"web-1","csr":"-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if ask, err := parseEnrol(text); err == nil && ask.Hostname == "" {
			t.Fatal("a host without a name was let through")
		}
	})
}

// FuzzRenew: whatever is let through can be signed.
func FuzzRenew(f *testing.F) {
	f.Add([]byte(`{"version":"1","csr":"-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n"}`))
	f.Add([]byte(`{"csr":""}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if ask, err := parseRenew(text); err == nil && (identity.CheckRequest([]byte(ask.CSR)) != nil || len(ask.Version) > 64) {
			t.Fatal("a renewal that cannot be signed was let through")
		}
	})
}

// FuzzPrevious: a proof that nobody signed never holds.
func FuzzPrevious(f *testing.F) {
	f.Add("secret", "csr", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", []byte{0x30, 0})
	f.Fuzz(func(t *testing.T, token, csr, previous string, proof []byte) {
		cert, err := identity.Previous(&wire.EnrolRequest{Token: token, CSR: csr, Previous: previous, Proof: proof})
		if err == nil && previous != "" || cert != nil {
			t.Fatalf("got %v, error %v", cert, err)
		}
	})
}
