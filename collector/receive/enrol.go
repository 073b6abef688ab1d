package receive

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/plimsoll/plimsoll/internal/identity"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// maxEnrol bounds an enrolment request, in bytes.
const maxEnrol = 32 << 10

// enrol gives a host its certificate for a token. It answers only under
// wire.EnrolServerName, where no certificate was asked for.
func (r *Receiver) enrol(w http.ResponseWriter, req *http.Request) {
	result := "refused"
	defer func() { r.m.enrolments.WithLabelValues(result).Inc() }()
	text, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxEnrol))
	if err != nil {
		http.Error(w, fmt.Sprintf("read enrolment request: %v", err), http.StatusBadRequest)
		return
	}
	ask, err := parseEnrol(text)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	previous, err := identity.Previous(&ask)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	asked := Enrolment{TokenHash: identity.HashSecret(ask.Token), From: from(req),
		Host: Host{ID: identity.NewHostID(), Instance: ask.Hostname, OS: ask.OS, Arch: ask.Arch, Version: ask.Version}}
	if previous != nil {
		asked.Previous = identity.Fingerprint(previous)
	}
	var cert []byte
	asked.Sign = func(host string) (identity.Issued, error) {
		issued, err := r.opts.CA.SignHost([]byte(ask.CSR), host, r.opts.CertificateTTL)
		cert = issued.PEM
		return issued, err
	}
	host, err := r.opts.Agents.Enrol(req.Context(), asked)
	if err != nil {
		r.enrolRefused(w, req, ask.Hostname, err)
		return
	}
	result = "enrolled"
	r.Forget(host.ID) // of before: its older certificates, and the other half of a clone
	r.opts.Log.Info("host enrolled", "instance", host.Instance, "host", host.ID, "customer", host.Customer, "remote", req.RemoteAddr)
	w.Header().Set("Content-Type", "application/json")
	// An agent that hears nothing asks a person for another token.
	_ = json.NewEncoder(w).Encode(wire.EnrolResponse{Host: host.ID, Instance: host.Instance, Certificate: string(cert), CA: string(r.opts.CA.PEM())})
}

// tokenRefusals are the answers to tokens that do not serve.
func tokenRefusals() []struct {
	err    error
	status int
	reason string
	remedy string
} {
	const again = `: make a new one with "plimsoll-collector enrol create"`
	return []struct {
		err    error
		status int
		reason string
		remedy string
	}{
		{ErrTokenUnknown, http.StatusForbidden, refusedTokenUnknown, again},
		{ErrTokenUsed, http.StatusConflict, refusedTokenUsed, again + `; if nobody of yours used it, somebody else has: "plimsoll-collector enrol list" names the host`},
		{ErrTokenExpired, http.StatusGone, refusedTokenExpired, again},
		{ErrTokenRevoked, http.StatusGone, refusedTokenRevoked, again},
		{ErrTokenAddress, http.StatusForbidden, refusedTokenAddress, again + ", with a --cidr that holds this address"},
	}
}

// enrolRefused answers with the status and the text with its remedy. Tokens
// that do not serve go to the audit chain, which also says so in the log.
func (r *Receiver) enrolRefused(w http.ResponseWriter, req *http.Request, hostname string, err error) {
	for _, known := range tokenRefusals() {
		if errors.Is(err, known.err) {
			r.refusals.add("", known.reason, from(req))
			http.Error(w, known.err.Error()+known.remedy, known.status)
			return
		}
	}
	r.opts.Log.Error("enrol a host", "hostname", hostname, "remote", req.RemoteAddr, "err", err)
	http.Error(w, "the collector cannot enrol hosts now: try again", http.StatusServiceUnavailable)
}

// parseEnrol decodes and checks an enrolment request, all but its token.
func parseEnrol(text []byte) (wire.EnrolRequest, error) {
	var ask wire.EnrolRequest
	if err := json.Unmarshal(text, &ask); err != nil {
		return ask, fmt.Errorf("enrolment request is not JSON: %w", err)
	}
	ask.Hostname = strings.TrimSpace(ask.Hostname)
	if err := checkName("hostname", ask.Hostname, 253); err != nil {
		return ask, err
	}
	if ask.Hostname == "" {
		return ask, errors.New("hostname is empty")
	}
	for name, value := range map[string]string{"os": ask.OS, "arch": ask.Arch, "version": ask.Version} {
		if err := checkName(name, value, 64); err != nil {
			return ask, err
		}
	}
	if err := identity.CheckRequest([]byte(ask.CSR)); err != nil {
		return ask, err
	}
	return ask, nil
}

func checkName(what, value string, limit int) error {
	if len(value) > limit {
		return fmt.Errorf("%s of %d bytes, at most %d", what, len(value), limit)
	}
	if !utf8.ValidString(value) || strings.IndexFunc(value, func(c rune) bool { return !unicode.IsPrint(c) }) >= 0 {
		return fmt.Errorf("%s %q has characters that cannot be printed", what, value)
	}
	return nil
}
