package batch

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/plimsoll/plimsoll/internal/wire"
)

// ForeignHold is how long a fact of a foreign sender holds when nothing
// follows: as long as Prometheus itself takes a sample to be valid. After that
// the sender is silent, and what it watches is unknown.
const ForeignHold = 5 * time.Minute

// SenderLabel names the foreign sender of a series. No agent can set it.
const SenderLabel = "sender"

// hostLabel is the instance of a series that has none: Telegraf writes so.
const hostLabel = "host"

// Bounds of the labels a sender's series are given.
const (
	maxRules     = 16
	maxRulesText = 1 << 10 // bytes
)

// Names is under which name each instance of a foreign sender is listed. It
// never changes; a nil one lists each instance as it comes.
type Names struct {
	listed map[string]string
	full   bool
}

// NewNames takes the map over. full: no further instance can be listed.
func NewNames(listed map[string]string, full bool) *Names { return &Names{listed, full} }

// Same tells whether these are the names of n.
func (n *Names) Same(listed map[string]string) bool { return n != nil && maps.Equal(n.listed, listed) }

// Len is how many instances are listed.
func (n *Names) Len() int { return len(n.listed) }

func (n *Names) name(instance string) (string, bool) {
	if n == nil {
		return instance, true
	}
	listed, ok := n.listed[instance]
	return listed, ok
}

// Unlisted is the error of a body that names instances nobody has listed yet:
// list them and decode it again.
type Unlisted struct{ Instances []string }

func (u *Unlisted) Error() string {
	return fmt.Sprintf("%d instances are not listed", len(u.Instances))
}

var (
	errUnlisted = errors.New("instance is not listed")
	errHosts    = errors.New("too many hosts of this sender")
)

// ForeignHost is the id of the host that a sender's instance is listed as.
func ForeignHost(sender, listed string) string {
	sum := sha256.Sum256([]byte(sender + "\x00" + listed))
	return "foreign-" + hex.EncodeToString(sum[:16])
}

// ParseRules reads "customer=acme,site=sh": the labels a sender's series are
// given whatever they bring, in the order of their names.
func ParseRules(text string) ([]labels.Label, error) {
	if text == "" {
		return nil, nil
	}
	if len(text) > maxRulesText {
		return nil, fmt.Errorf("labels of %d bytes, at most %d", len(text), maxRulesText)
	}
	var rules []labels.Label
	for part := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(part, "=")
		switch {
		case !ok || !legal(name):
			return nil, fmt.Errorf("%q is not a label: write name=value, several with a comma between", part)
		case name == metricName || name == "job" || name == "instance" || name == SenderLabel:
			return nil, fmt.Errorf("label %s cannot be given: it comes with each series", name)
		case value == "" || !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl):
			return nil, fmt.Errorf("the value of label %s is empty or cannot be printed", name)
		case slices.ContainsFunc(rules, func(l labels.Label) bool { return l.Name == name }):
			return nil, fmt.Errorf("label %s twice", name)
		case len(rules) == maxRules:
			return nil, fmt.Errorf("more than %d labels", maxRules)
		}
		rules = append(rules, labels.Label{Name: name, Value: value})
	}
	slices.SortFunc(rules, func(a, b labels.Label) int { return strings.Compare(a.Name, b.Name) })
	return rules, nil
}

// legal tells whether name is a label name as Prometheus writes them.
func legal(name string) bool {
	for i, c := range []byte(name) {
		if c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

// WriteRules is the text ParseRules reads.
func WriteRules(rules []labels.Label) string {
	parts := make([]string, len(rules))
	for i, l := range rules {
		parts[i] = l.Name + "=" + l.Value
	}
	return strings.Join(parts, ",")
}

// DecodeForeign is Decode for the body of a foreign sender. Its series keep
// their job and their instance, under the name it is listed by; the sender's
// customer and labels, and its name, stand above what the body says. The error
// may be an *Unlisted.
func (d *Decoder) DecodeForeign(rec wire.Envelope, body []byte, names *Names) (*Batch, error) {
	return d.decode(rec, body, names)
}

// foreign is what a host of the decoder has more when it is a foreign sender.
type foreign struct {
	rules    []labels.Label // customer, labels and name of the sender
	names    *Names
	owners   map[string]*owner // by instance as listed
	unlisted map[string]bool   // of the body being decoded
	instance string            // of the section being parsed
	host     string            // its label host
}

func newForeign(id identity) *foreign {
	rules, _ := ParseRules(id.labels) // checked when the sender was made
	rules = slices.DeleteFunc(rules, func(l labels.Label) bool { return l.Name == "customer" })
	if id.customer != "" {
		rules = append(rules, labels.Label{Name: "customer", Value: id.customer})
	}
	return &foreign{rules: append(rules, labels.Label{Name: SenderLabel, Value: id.instance}), owners: map[string]*owner{}, unlisted: map[string]bool{}}
}

// use takes the names for the next body. Another set means that a name may
// belong to somebody else now: every section is looked at again.
func (h *host) use(names *Names) {
	clear(h.foreign.unlisted)
	if h.foreign.names != names {
		h.foreign.names = names
		h.shapes, h.plain = nil, nil
	}
}

// missing is the *Unlisted of the body just decoded, or nil.
func (h *host) missing() error {
	if h.foreign == nil || len(h.foreign.unlisted) == 0 {
		return nil
	}
	u := &Unlisted{}
	for instance := range h.foreign.unlisted {
		u.Instances = append(u.Instances, instance)
	}
	slices.Sort(u.Instances)
	return u
}

// given tells whether the sender's rules stand above a label of the body.
func (f *foreign) given(name string) bool {
	for i := range f.rules {
		if f.rules[i].Name == name {
			return true
		}
	}
	return false
}

// identifyForeign adds the labels of the identity and returns whose series it is.
func (h *host) identifyForeign() (*owner, error) {
	f := h.foreign
	instance := f.instance
	if instance == "" {
		instance = f.host
	}
	if instance != "" {
		listed, ok := f.names.name(instance)
		if !ok && f.names.full {
			h.refused = instance
			return nil, errHosts
		}
		if !ok {
			if len(f.unlisted) <= h.limits.HostsPerSender {
				f.unlisted[instance] = true
			}
			return nil, errUnlisted
		}
		h.renamed = listed != instance
		instance = listed
		h.builder.Add("instance", instance)
	}
	for _, l := range f.rules {
		h.builder.Add(l.Name, l.Value)
	}
	o := f.owners[instance]
	if o == nil {
		o = &owner{name: instance}
		if instance != "" {
			o.host = ForeignHost(h.id.host, instance)
		}
		f.owners[instance] = o
	}
	return o, nil
}

// ForeignFact is what a foreign series is a fact about. `up` is about a target
// as its job scrapes it, probe_success about what the probe found: an exporter
// that is away says nothing about what it would have probed.
func ForeignFact(name string, ls labels.Labels) (FactKind, string) {
	instance := ls.Get("instance")
	if instance == "" || name != upName && name != probeName {
		return FactNone, ""
	}
	target := instance
	if job := ls.Get("job"); job != "" {
		target = job + "/" + instance
	}
	if name == probeName {
		return FactProbe, ProbePrefix + target
	}
	return FactHost, target
}
