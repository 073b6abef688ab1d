package receive

import (
	"testing"
)

func FuzzEnrol(f *testing.F) {
	f.Add([]byte(`{"token":"x","hostname":"web-1","csr":"-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if ask, err := parseEnrol(text); err == nil && ask.Hostname == "" {
			t.Fatal("a host without a name was let through")
		}
	})
}
