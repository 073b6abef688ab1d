package people

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

var cheap = Cost{Time: 1, Memory: 64, Threads: 1}

func TestCheckPassword(t *testing.T) {
	for _, c := range []struct {
		name, password string
		want           []Weakness
	}{
		{"li", "correct horse battery", nil},
		{"li", "öäüß–密码密码密码一二", nil},
		{"li", "一二三四五六七八九十甲乙", nil},
		{"li", "x9!kqP2vTzLm", nil},
		{"li", "", []Weakness{WeakShort, WeakFew, WeakCommon}},
		{"li", "short", []Weakness{WeakShort, WeakFew}},
		{"li", "aaaaaaaaaaaaaaaa", []Weakness{WeakFew}},
		{"zhang", "my-ZHANG-secret-7", []Weakness{WeakName}},
		{"li", "password1234", []Weakness{WeakCommon}},
		{"li", "P@ssw0rd2026!!", []Weakness{WeakCommon}},
		{"root", "abcdefghijklmn", []Weakness{WeakCommon}},
		{"root", "987654321098", []Weakness{WeakCommon}},
		{"root", "qwertyuiopas", []Weakness{WeakCommon}},
		{"root", "1qaz2wsx3edc", []Weakness{WeakCommon}},
		{"root", "changeme2026", []Weakness{WeakCommon}},
		{"li", "tab\tin the middle", []Weakness{WeakControl}},
		{"root", "bad\xff utf8 inside", []Weakness{WeakControl}},
		{"root", strings.Repeat("abcdefgh ", 29), []Weakness{WeakLong}},
	} {
		err := CheckPassword(c.name, c.password)
		var weak *Weak
		var got []Weakness
		if errors.As(err, &weak) {
			got = weak.Why
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s, %q: got %v, want %v", c.name, c.password, got, c.want)
		}
		if err != nil && len(c.password) > 5 && strings.Contains(err.Error(), c.password) {
			t.Errorf("the refusal repeats the password: %v", err)
		}
	}
}

// TestHashKeepsItsParameters: a hash made with other parameters still verifies.
func TestHashKeepsItsParameters(t *testing.T) {
	for _, c := range []Cost{cheap, {Time: 2, Memory: 128, Threads: 3}} {
		kept := HashPassword("correct horse battery", c)
		if again := HashPassword("correct horse battery", c); again == kept {
			t.Error("the same salt twice")
		}
		for password, want := range map[string]bool{"correct horse battery": true, "correct horse batterz": false, "": false} {
			if got, err := VerifyPassword(kept, password); err != nil || got != want {
				t.Errorf("%s: %q: got %v %v, want %v", kept, password, got, err, want)
			}
		}
	}
	if got := DefaultCost(); got != (Cost{Time: 3, Memory: 65536, Threads: 4}) {
		t.Errorf("default cost %+v is not RFC 9106's second option", got)
	}
}

// FuzzHash: any text either is a hash with bounded parameters, written exactly
// so, or is refused.
func FuzzHash(f *testing.F) {
	f.Add(HashPassword("x", cheap))
	f.Add("$argon2id$v=19$m=4294967295,t=4294967295,p=255$c29tZXNhbHRzb21lc2FsdA$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
	f.Add("$argon2id$v=19$m=64,t=1,p=1$$")
	f.Fuzz(func(t *testing.T, text string) {
		c, salt, key, err := parseHash(text)
		if err == nil && (c.Time > maxTime || c.Memory > maxMemory || c.Time < 1 || c.Threads < 1 || len(salt) != saltBytes || len(key) != keyBytes) {
			t.Errorf("%q was taken: %+v", text, c)
		}
	})
}

// FuzzToken: a token or cookie is taken only when it is written exactly as it
// was made, and the error tells nothing of it.
func FuzzToken(f *testing.F) {
	f.Add(tokenText(newTokenID(), newSecret()))
	f.Add("plt1..")
	f.Add("plt1.0123456789abcdef." + strings.Repeat("A", 43))
	f.Add("plt1.0123456789ABCDEF." + strings.Repeat("A", 42) + "B")
	f.Fuzz(func(t *testing.T, text string) {
		id, secret, err := parseToken(text)
		if err == nil && (tokenText(id, secret) != text || !validSecret(secret)) {
			t.Errorf("%q was taken as %q %q", text, id, secret)
		}
		if err != nil && !errors.Is(err, ErrToken) {
			t.Errorf("%q: %v", text, err)
		}
		if validSecret(text) && len(text) != 43 {
			t.Errorf("cookie %q was taken", text)
		}
	})
}

func BenchmarkHash(b *testing.B) {
	for b.Loop() {
		HashPassword("correct horse battery", DefaultCost())
	}
}
