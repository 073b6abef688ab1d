package identity

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestRotation goes through a whole replacement: what each side trusts, signs
// and shows at each stage, and after each stage opened anew from disk.
func TestRotation(t *testing.T) {
	dir := t.TempDir()
	ca, err := OpenCA(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	first := ca.Fingerprint()
	before, err := ca.SignHost(request(t), "abc", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ca.Retire(); !errors.Is(err, ErrNotRotating) {
		t.Errorf("retire without a rotation: got %v, want ErrNotRotating", err)
	}
	second, err := ca.Rotate()
	if err != nil || second == first {
		t.Fatalf("rotate: got %s, error %v, want another than %s", second, err, first)
	}
	if _, err := ca.Rotate(); !errors.Is(err, ErrRotating) {
		t.Errorf("rotate twice: got %v, want ErrRotating", err)
	}
	overlap := func(ca *CA) {
		t.Helper()
		after, err := ca.SignHost(request(t), "abc", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if ca.Fingerprint() != first || after.Authority != second || before.Authority != first {
			t.Errorf("overlap: serves %s, signs %s, want %s and %s", ca.Fingerprint(), after.Authority, first, second)
		}
		if bundle, err := parseBundle(ca.PEM()); err != nil || len(bundle) != 2 {
			t.Errorf("overlap: bundle of %d, error %v, want both", len(bundle), err)
		}
		for _, issued := range []Issued{before, after} {
			if cert, err := parseCertificate(issued.PEM); err != nil || ca.VerifyExpired(cert) != nil {
				t.Errorf("overlap: certificate of %.8s is not trusted (%v)", issued.Authority, err)
			}
		}
	}
	overlap(ca)
	again, err := OpenCA(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	overlap(again)
	if gone, err := again.Retire(); err != nil || gone != first {
		t.Fatalf("retire: got %s, error %v, want %s", gone, err, first)
	}
	last, err := OpenCA(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	old, err := parseCertificate(before.PEM)
	if err != nil {
		t.Fatal(err)
	}
	for name, ca := range map[string]*CA{"retired": again, "retired, opened again": last} {
		if ca.Fingerprint() != second || ca.VerifyExpired(old) == nil || len(ca.Authorities()) != 1 {
			t.Errorf("%s: serves %s, old certificate trusted: %v", name, ca.Fingerprint(), ca.VerifyExpired(old) == nil)
		}
	}
	keysAreTheOwners(t, dir)
}

func keysAreTheOwners(t *testing.T, dir string) {
	t.Helper()
	keys, err := filepath.Glob(filepath.Join(dir, "*.key"))
	if err != nil || len(keys) == 0 {
		t.Fatalf("keys: %v, error %v", keys, err)
	}
	for _, key := range keys {
		if info, err := os.Stat(key); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s: error %v, mode %v, want 0600", key, err, info.Mode())
		}
	}
}

// TestCutOffRotation: whatever step a rotation or retirement was cut off
// after, the next start has one state or the other, whole.
func TestCutOffRotation(t *testing.T) {
	for _, c := range []struct {
		name   string
		cut    func(dir string) error // from a directory in its overlap
		serves int                    // 0 the old one, 1 the new one
		inAll  int
	}{
		{"nothing cut off", func(string) error { return nil }, 0, 2},
		{"rotation: key written, certificate not", func(dir string) error { return os.Remove(filepath.Join(dir, nextCert)) }, 0, 1},
		{"retirement: key moved, certificate not", func(dir string) error {
			return os.Rename(filepath.Join(dir, nextKey), filepath.Join(dir, caKey))
		}, 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			ca, err := OpenCA(dir, time.Now)
			if err != nil {
				t.Fatal(err)
			}
			want := []string{ca.Fingerprint(), ""}
			if want[1], err = ca.Rotate(); err != nil {
				t.Fatal(err)
			}
			if err := c.cut(dir); err != nil {
				t.Fatal(err)
			}
			for range 2 { // the second start finds what the first made of it
				again, err := OpenCA(dir, time.Now)
				if err != nil {
					t.Fatal(err)
				}
				if again.Fingerprint() != want[c.serves] || len(again.Authorities()) != c.inAll {
					t.Errorf("serves %s with %d in force, want %s with %d", again.Fingerprint(), len(again.Authorities()), want[c.serves], c.inAll)
				}
			}
		})
	}
}

func TestHalfANextAuthority(t *testing.T) {
	dir := t.TempDir()
	ca, err := OpenCA(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ca.Rotate(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, nextKey)); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenCA(dir, time.Now); err == nil || !strings.Contains(err.Error(), "restore ca-next.key beside ca-next.pem from a backup") {
		t.Errorf("got %v, want the missing file and the remedy", err)
	}
}
