package check

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"unicode"
)

// dialer is how each check connects: by Go's own resolver, which keeps to the
// deadline whatever the system's does.
func dialer(g *Guard) net.Dialer {
	return net.Dialer{Resolver: &net.Resolver{PreferGo: true}, Control: g.control}
}

// judge tells a target that does not answer (down) from a test that this host
// could not make (unknown).
func judge(err error) (State, string) {
	var dns *net.DNSError
	var denied *DeniedError
	switch {
	case errors.Is(err, context.Canceled):
		return Unknown, "the agent is stopping"
	case errors.As(err, &denied):
		return Unknown, bounded(denied.Error())
	case errors.As(err, &dns):
		return judgeName(dns)
	}
	if reason := ownFault(err); reason != "" {
		return Unknown, reason
	}
	late := isLate(err)
	if late || errors.Is(err, syscall.EHOSTUNREACH) {
		if reason := silentGateway(err); reason != "" {
			return Unknown, reason
		}
	}
	if late {
		return Down, "no answer in time"
	}
	return Down, reasonOf(err)
}

// judged is judge as a result.
func judged(err error) Result {
	state, reason := judge(err)
	return Result{State: state, Reason: reason}
}

// ownFault says what this host lacks to make the test; empty: nothing known.
func ownFault(err error) string {
	for _, own := range [...]struct {
		errno  error
		reason string
	}{
		{syscall.ENETUNREACH, "no route from this host; look at its routes and interfaces"},
		{syscall.EADDRNOTAVAIL, "no local address or port left on this host"},
		{syscall.EAFNOSUPPORT, "this host does not speak the target's kind of address"},
		{syscall.EACCES, "not permitted on this host; look at its firewall and at the agent's sandbox"},
		{syscall.EPERM, "not permitted on this host; look at its firewall and at the agent's sandbox"},
		{syscall.EMFILE, "the agent has no file descriptor left; raise its limit"},
		{syscall.ENFILE, "this host has no file descriptor left"},
		{syscall.ENOBUFS, "this host has no network buffer left"},
		{syscall.ENOMEM, "this host has no memory left"},
		{syscall.EAGAIN, "this host has no process or buffer left; raise the agent's limits"},
	} {
		if errors.Is(err, own.errno) {
			return own.reason
		}
	}
	return ""
}

// isLate tells whether the test ran into its own deadline or the system's.
func isLate(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, syscall.ETIMEDOUT)
}

// judgeName: a resolver that says "there is no such name" has answered; one
// that says nothing is this host's trouble, not the target's.
func judgeName(err *net.DNSError) (State, string) {
	if err.IsNotFound {
		return Down, fmt.Sprintf("the name %s does not exist", err.Name)
	}
	return Unknown, fmt.Sprintf("the resolver of this host did not answer for %s; look at its DNS settings", err.Name)
}

// reasonOf is the innermost part of an error that still says something, on one line.
func reasonOf(err error) string {
	var verify *tls.CertificateVerificationError
	if errors.As(err, &verify) {
		return bounded("certificate: " + verify.Err.Error())
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return bounded(errno.Error())
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil {
		return bounded(op.Err.Error())
	}
	return bounded(err.Error())
}

// maxReason bounds a reason, in bytes; notes carry no more.
const maxReason = 500

// bounded is the text on one line, without what steers a terminal, not longer
// than a note takes.
func bounded(text string) string {
	if len(text) > maxReason {
		text = text[:maxReason]
	}
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	return text
}
