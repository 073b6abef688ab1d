package identity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/plimsoll/plimsoll/internal/wire"
)

var errNoProof = errors.New("the proof is not of the previous certificate's key")

// prove adds to ask that this host was id before.
func (id Identity) prove(ask *wire.EnrolRequest) error {
	key, ok := id.cert.PrivateKey.(crypto.Signer)
	if !ok {
		return fmt.Errorf("key of type %T cannot sign", id.cert.PrivateKey)
	}
	digest, opts := proofDigest(ask, key.Public())
	proof, err := key.Sign(rand.Reader, digest, opts)
	if err != nil {
		return fmt.Errorf("prove the identity of before: %w", err)
	}
	ask.Previous, ask.Proof = string(encodeCertificate(id.cert.Certificate[0])), proof
	return nil
}

// proofDigest is what a re-enrolment signs: this token for this new key, so
// that a proof serves no other request.
func proofDigest(ask *wire.EnrolRequest, public crypto.PublicKey) ([]byte, crypto.SignerOpts) {
	text := []byte("plimsoll re-enrolment 1\n" + HashSecret(ask.Token) + "\n" + ask.CSR)
	if _, ok := public.(ed25519.PublicKey); ok {
		return text, crypto.Hash(0)
	}
	sum := sha256.Sum256(text)
	return sum[:], crypto.SHA256
}

// Previous is the certificate whose key signed the proof in ask; nil without
// one. Whether the certificate is one of ours is for the caller to look up.
// The error wraps ErrRequest.
func Previous(ask *wire.EnrolRequest) (*x509.Certificate, error) {
	if ask.Previous == "" {
		return nil, nil //nolint:nilnil // a first enrolment
	}
	if len(ask.Previous) > maxRequest {
		return nil, fmt.Errorf("%w: previous certificate of %d bytes, at most %d", ErrRequest, len(ask.Previous), maxRequest)
	}
	cert, err := parseCertificate([]byte(ask.Previous))
	if err != nil {
		return nil, fmt.Errorf("%w: previous certificate: %w", ErrRequest, err)
	}
	digest, _ := proofDigest(ask, cert.PublicKey)
	good := false
	switch key := cert.PublicKey.(type) {
	case *ecdsa.PublicKey:
		good = ecdsa.VerifyASN1(key, digest, ask.Proof)
	case ed25519.PublicKey:
		good = ed25519.Verify(key, digest, ask.Proof)
	}
	if !good {
		return nil, fmt.Errorf("%w: %w", ErrRequest, errNoProof)
	}
	return cert, nil
}
