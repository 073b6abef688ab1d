package people

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
)

// secretBytes is the entropy of session ids, token secrets and set-up links: 256 bits.
const secretBytes = 32

// tokenPrefix starts each API token, tells its version, and lets a scanner of
// repositories find one that was committed.
const tokenPrefix = "plt1"

// ErrToken is what a text gets that is no living token of this collector.
var ErrToken = errors.New("not a token of this collector (it looks like plt1.ID.SECRET), or it was revoked or has expired; make one with \"plimsoll-collector token create\"")

// ErrSession is what a cookie gets that stands for no living session.
var ErrSession = errors.New("no such session, or it has ended")

// newSecret is 256 random bits as text for a cookie or an address.
func newSecret() string {
	raw := make([]byte, secretBytes)
	_, _ = rand.Read(raw) // never fails: it ends the program instead
	return base64.RawURLEncoding.EncodeToString(raw)
}

// validSecret tells whether text could be one that newSecret made.
func validSecret(text string) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return err == nil && base64.RawURLEncoding.EncodeToString(raw) == text && len(raw) == secretBytes
}

// hashSecret is what is kept: hex SHA-256. The secret is long and random, so a
// slow hash would add nothing.
func hashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// sameHash compares in constant time.
func sameHash(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// tokenIDBytes tells tokens apart; it is no secret.
const tokenIDBytes = 8

func newTokenID() string {
	raw := make([]byte, tokenIDBytes)
	_, _ = rand.Read(raw)
	return hex.EncodeToString(raw)
}

func tokenText(id, secret string) string { return tokenPrefix + "." + id + "." + secret }

// parseToken takes plt1.ID.SECRET apart. The error never repeats the text.
func parseToken(text string) (id, secret string, err error) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 || parts[0] != tokenPrefix || !validSecret(parts[2]) {
		return "", "", ErrToken
	}
	if raw, err := hex.DecodeString(parts[1]); err != nil || len(raw) != tokenIDBytes || hex.EncodeToString(raw) != parts[1] {
		return "", "", ErrToken
	}
	return parts[1], parts[2], nil
}
