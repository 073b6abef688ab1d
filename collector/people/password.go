package people

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// Cost is what computing one argon2id hash takes.
type Cost struct {
	Time    uint32 // passes
	Memory  uint32 // KiB
	Threads uint8
}

// DefaultCost is the second recommended option of RFC 9106, section 4: 64 MiB.
func DefaultCost() Cost { return Cost{Time: 3, Memory: 64 << 10, Threads: 4} }

const (
	saltBytes = 16
	keyBytes  = 32
	// What a stored hash may ask for at most, in passes and KiB: more would be
	// a way to stop the collector.
	maxTime, maxMemory = 64, 1 << 20

	// MinPassword is the least length of a password, in characters.
	MinPassword = 12
	// MaxPassword bounds it, in bytes.
	MaxPassword = 256
	// minDifferent is how many different characters it has at least.
	minDifferent = 6
)

// HashPassword is the text that is kept: $argon2id$v=19$m=…,t=…,p=…$salt$key.
func HashPassword(password string, c Cost) string {
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails: it ends the program instead
	key := argon2.IDKey([]byte(password), salt, c.Time, c.Memory, c.Threads, keyBytes)
	b := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$%s$%s$%s", argon2.Version, c, b.EncodeToString(salt), b.EncodeToString(key))
}

func (c Cost) String() string { return fmt.Sprintf("m=%d,t=%d,p=%d", c.Memory, c.Time, c.Threads) }

var errHash = errors.New("not an argon2id hash as HashPassword writes it")

// parseHash takes a kept text apart.
func parseHash(text string) (c Cost, salt, key []byte, err error) {
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return c, nil, nil, errHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.Memory, &c.Time, &c.Threads); err != nil || parts[3] != c.String() {
		return c, nil, nil, errHash
	}
	if c.Time < 1 || c.Time > maxTime || c.Memory < 8 || c.Memory > maxMemory || c.Threads < 1 {
		return c, nil, nil, errHash
	}
	b := base64.RawStdEncoding.Strict()
	if salt, err = b.DecodeString(parts[4]); err != nil || len(salt) != saltBytes {
		return c, nil, nil, errHash
	}
	if key, err = b.DecodeString(parts[5]); err != nil || len(key) != keyBytes {
		return c, nil, nil, errHash
	}
	return c, salt, key, nil
}

// VerifyPassword tells whether password belongs to the kept text, in a time
// that does not depend on how much of it is right.
func VerifyPassword(kept, password string) (bool, error) {
	c, salt, key, err := parseHash(kept)
	if err != nil {
		return false, err
	}
	got := argon2.IDKey([]byte(password), salt, c.Time, c.Memory, c.Threads, keyBytes)
	return subtle.ConstantTimeCompare(got, key) == 1, nil
}

// Weakness is one reason why a password is refused. Its texts are in the words
// of the pages as "password.weak." and the weakness.
type Weakness string

// Weaknesses of passwords.
const (
	WeakShort   Weakness = "short"
	WeakLong    Weakness = "long"
	WeakControl Weakness = "control"
	WeakName    Weakness = "name"
	WeakFew     Weakness = "few"
	WeakCommon  Weakness = "common"
)

// Weak is the refusal of a password: all its faults, and nothing of itself.
type Weak struct{ Why []Weakness }

func (w *Weak) Error() string {
	texts := map[Weakness]string{
		WeakShort:   fmt.Sprintf("is shorter than %d characters", MinPassword),
		WeakLong:    fmt.Sprintf("is longer than %d bytes", MaxPassword),
		WeakControl: "contains a control character or is not text",
		WeakName:    "contains the user's name",
		WeakFew:     fmt.Sprintf("has fewer than %d different characters", minDifferent),
		WeakCommon:  "is among the first that are tried",
	}
	var all []string
	for _, why := range w.Why {
		all = append(all, texts[why])
	}
	return "the password " + strings.Join(all, ", ") + "; several unrelated words make a good one"
}

// CheckPassword refuses what would be guessed first; the error is a *Weak.
func CheckPassword(name, password string) error {
	lower := strings.ToLower(password)
	var why []Weakness
	for _, c := range []struct {
		is  bool
		why Weakness
	}{
		{utf8.RuneCountInString(password) < MinPassword, WeakShort},
		{len(password) > MaxPassword, WeakLong},
		{!utf8.ValidString(password) || strings.IndexFunc(password, unicode.IsControl) >= 0, WeakControl},
		{len(name) > 2 && strings.Contains(lower, strings.ToLower(name)), WeakName},
		{different(lower) < minDifferent, WeakFew},
		{common(lower), WeakCommon},
	} {
		if c.is {
			why = append(why, c.why)
		}
	}
	if len(why) == 0 {
		return nil
	}
	return &Weak{why}
}

func different(text string) int {
	seen := map[rune]bool{}
	for _, r := range text {
		seen[r] = true
	}
	return len(seen)
}

// common knows rows of neighbours, forwards and backwards, and the words that
// lists of leaked passwords begin with, whatever stands around them.
func common(lower string) bool {
	for _, row := range []string{"abcdefghijklmnopqrstuvwxyz", "01234567890123456789", "qwertyuiopasdfghjklzxcvbnm", "1qaz2wsx3edc4rfv5tgb6yhn7ujm"} {
		if strings.Contains(row, lower) || strings.Contains(row, backwards(lower)) {
			return true
		}
	}
	word := strings.TrimFunc(lower, func(r rune) bool { return !unicode.IsLetter(r) })
	word = strings.NewReplacer("0", "o", "3", "e", "4", "a", "@", "a", "5", "s", "$", "s").Replace(word)
	return slices.Contains([]string{"password", "passwort", "passwordpassword", "administrator", "admin", "adminadmin", "qwerty", "qwertyuiop", "letmein",
		"letmeinplease", "welcome", "welcometo", "changeme", "changemenow", "changemeplease", "plimsoll", "plimsollplimsoll", "iloveyou", "woaini",
		"woainiwoaini", "monitoring", "secret", "supersecret", "test", "testtest", "default"}, word)
}

func backwards(text string) string {
	runes := []rune(text)
	slices.Reverse(runes)
	return string(runes)
}
