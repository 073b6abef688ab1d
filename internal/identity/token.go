package identity

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// tokenPrefix starts each enrolment token and tells its version.
const tokenPrefix = "plm1"

// secretBytes is the entropy of a token: 160 bits, which base32 writes without padding.
const secretBytes = 20

// ErrToken is wrapped by each error of ParseToken.
var ErrToken = errors.New("not an enrolment token (it looks like plm1.SECRET.FINGERPRINT; make one with \"plimsoll-collector enrol create\")")

// NewToken makes the text handed to a person and the hash the collector
// keeps. The secret itself (160 random bits) is stored nowhere.
func NewToken(fingerprint string) (text, secretHash string) {
	raw := make([]byte, secretBytes)
	_, _ = rand.Read(raw) // never fails: it ends the program instead
	secret := strings.ToLower(secretEncoding().EncodeToString(raw))
	return tokenPrefix + "." + secret + "." + fingerprint, HashSecret(secret)
}

// ParseToken takes a token apart: the secret to present and the fingerprint
// that proves the collector it is presented to.
func ParseToken(text string) (secret, fingerprint string, err error) {
	parts := strings.Split(strings.TrimSpace(text), ".")
	if len(parts) != 3 || parts[0] != tokenPrefix {
		return "", "", ErrToken
	}
	secret, fingerprint = strings.ToLower(parts[1]), strings.ToLower(parts[2])
	if raw, err := secretEncoding().DecodeString(strings.ToUpper(secret)); err != nil || len(raw) < 16 {
		return "", "", fmt.Errorf("secret part damaged: %w", ErrToken)
	}
	if raw, err := hex.DecodeString(fingerprint); err != nil || len(raw) != sha256.Size {
		return "", "", fmt.Errorf("fingerprint part damaged: %w", ErrToken)
	}
	return secret, fingerprint, nil
}

// HashSecret is what the collector stores and looks up: hex SHA-256. The
// secret is long and random, so a slow hash would add nothing.
func HashSecret(secret string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(secret)))
	return hex.EncodeToString(sum[:])
}

func secretEncoding() *base32.Encoding { return base32.StdEncoding.WithPadding(base32.NoPadding) }
