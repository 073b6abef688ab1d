package record

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"
)

// Key is the identity of a finding: the same rule about the same thing has
// the same key for ever, so that a second breach meets the first one's record.
// It is PLM- and 12 base32 digits (60 bits) of the SHA-256 of
// customer|kind|rule|component|metric, a | or \ inside a part escaped by \.
func Key(customer string, kind Kind, rule, component, metric string) string {
	parts := [...]string{customer, string(kind), rule, component, metric}
	escape := strings.NewReplacer(`\`, `\\`, `|`, `\|`)
	for i := range parts {
		parts[i] = escape.Replace(parts[i])
	}
	sum := sha256.Sum256([]byte(strings.Join(parts[:], "|")))
	return "PLM-" + base32.StdEncoding.EncodeToString(sum[:])[:12]
}

// Metric names one instance of something: name{label="value",…} with the
// labels in the order given, empty values left out. It is part of Key.
func Metric(name string, labels [][2]string) string {
	var b strings.Builder
	b.WriteString(name)
	open := false
	for _, l := range labels {
		if l[1] == "" {
			continue
		}
		if open {
			b.WriteByte(',')
		} else {
			b.WriteByte('{')
			open = true
		}
		b.WriteString(l[0])
		b.WriteString(`="`)
		b.WriteString(strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(l[1]))
		b.WriteByte('"')
	}
	if open {
		b.WriteByte('}')
	}
	return b.String()
}
