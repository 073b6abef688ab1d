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
	if req.TLS == nil || req.TLS.ServerName != wire.EnrolServerName {
		http.Error(w, "enrolment is served under the TLS server name "+wire.EnrolServerName, http.StatusMisdirectedRequest)
		return
	}
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
	host, err := r.opts.Agents.Enrol(req.Context(), identity.HashSecret(ask.Token), Host{
		ID: identity.NewHostID(), Instance: ask.Hostname, OS: ask.OS, Arch: ask.Arch, Version: ask.Version})
	if err != nil {
		status, text := enrolError(err)
		r.opts.Log.Warn("enrolment refused", "hostname", ask.Hostname, "remote", req.RemoteAddr, "err", err)
		http.Error(w, text, status)
		return
	}
	cert, err := r.opts.CA.SignHost([]byte(ask.CSR), host.ID, r.opts.CertificateTTL)
	if err != nil {
		r.opts.Log.Error("sign certificate", "host", host.ID, "instance", host.Instance, "err", err)
		http.Error(w, "the collector cannot sign certificates now", http.StatusInternalServerError)
		return
	}
	result = "enrolled"
	r.opts.Log.Info("host enrolled", "instance", host.Instance, "host", host.ID, "customer", host.Customer, "remote", req.RemoteAddr)
	w.Header().Set("Content-Type", "application/json")
	// An agent that hears nothing asks a person for another token.
	_ = json.NewEncoder(w).Encode(wire.EnrolResponse{Host: host.ID, Instance: host.Instance, Certificate: string(cert), CA: string(r.opts.CA.PEM())})
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

// enrolError is the status and the text with its remedy.
func enrolError(err error) (int, string) {
	const remedy = `: make a new one with "plimsoll-collector enrol create"`
	for _, known := range []error{ErrTokenUnknown, ErrTokenUsed, ErrTokenExpired} {
		if errors.Is(err, known) {
			return http.StatusUnauthorized, known.Error() + remedy
		}
	}
	return http.StatusServiceUnavailable, "the collector cannot enrol hosts now: try again"
}
