package catalogue

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Seen is a host to draft a catalogue from.
type Seen struct {
	Host   string
	Labels map[string]string // with customer
}

// serviceLabels tell which service a host is for, the first it has.
func serviceLabels() []string { return []string{"service", "app", "role"} }

// maxUnlabelled bounds how many hosts without a service the draft names.
const maxUnlabelled = 20

// Suggest drafts a catalogue from hosts and their labels: one service for each
// customer and value of the label service, else app, else role; in it one
// group for each role. Of a group all are needed when it has one, one of two,
// and all but one of more. Agreements are a skeleton, their targets a proposal.
// What it returns has no faults.
func Suggest(hosts []Seen, zone string) []byte {
	d := &draft{taken: map[string]bool{}, services: map[[3]string]map[string]int{}}
	for _, h := range hosts {
		d.add(h)
	}
	return d.write(len(hosts), zone)
}

type draft struct {
	taken    map[string]bool
	services map[[3]string]map[string]int // customer, label, value: hosts by role
	loose    []string
}

func (d *draft) add(h Seen) {
	for _, label := range serviceLabels() {
		value := h.Labels[label]
		if value == "" {
			continue
		}
		key := [3]string{h.Labels["customer"], label, value}
		if d.services[key] == nil {
			d.services[key] = map[string]int{}
		}
		role := h.Labels["role"]
		if label == "role" {
			role = ""
		}
		d.services[key][role]++
		return
	}
	d.loose = append(d.loose, h.Host)
}

// name is a free name, the shortest of those given or one with a number.
func (d *draft) name(names ...string) string {
	for _, n := range names {
		if n != "" && !d.taken[n] {
			d.taken[n] = true
			return n
		}
	}
	for i := 2; ; i++ {
		if n := names[len(names)-1] + "-" + strconv.Itoa(i); !d.taken[n] {
			d.taken[n] = true
			return n
		}
	}
}

func (d *draft) write(hosts int, zone string) []byte {
	keys := make([][3]string, 0, len(d.services))
	for key := range d.services {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b [3]string) int { return slices.Compare(a[:], b[:]) })
	var groups, services, agreements strings.Builder
	for i, key := range keys {
		customer, label, value := key[0], key[1], key[2]
		service := d.name(value, strings.TrimPrefix(customer+"-"+value, "-"))
		var needs []string
		for _, role := range sortedKeys(d.services[key]) {
			n := d.services[key][role]
			group := d.name(strings.TrimSuffix(service+"-"+role, "-"), service+"-hosts")
			match := []string{label + ": " + quoted(value)}
			if customer != "" {
				match = append([]string{"customer: " + quoted(customer)}, match...)
			}
			if role != "" {
				match = append(match, "role: "+quoted(role))
			}
			fmt.Fprintf(&groups, "  %s: {match: {%s}}\n", quoted(group), strings.Join(match, ", "))
			needs = append(needs, needed(n, quoted(group)))
		}
		tree := needs[0]
		if len(needs) > 1 {
			tree = "{all_of: [" + strings.Join(needs, ", ") + "]}"
		}
		whose := ""
		if customer != "" {
			whose = "customer: " + quoted(customer) + ", "
		}
		fmt.Fprintf(&services, "  - {name: %s, %sneeds: %s}\n", quoted(service), whose, tree)
		fmt.Fprintf(&agreements, "  - {number: SLA-%03d, service: %s, zone: %s, planned: {notice: 24h, cap: 8h/month}, indicators: [{name: availability, target: 99.5%%, period: month}]}\n",
			i+1, quoted(service), quoted(zone))
	}
	var out strings.Builder
	fmt.Fprintf(&out, "# A draft from the labels of %d hosts. How many of a group are needed, and every\n# target, is a proposal: agree on them before you load it.\n", hosts)
	if len(d.loose) > 0 {
		slices.Sort(d.loose)
		shown := d.loose[:min(len(d.loose), maxUnlabelled)]
		fmt.Fprintf(&out, "# Without a label service, app or role, in no service: %q", shown)
		if more := len(d.loose) - len(shown); more > 0 {
			fmt.Fprintf(&out, " and %d more", more)
		}
		out.WriteString("\n")
	}
	for _, part := range []struct{ key, text string }{{"groups", groups.String()}, {"services", services.String()}, {"agreements", agreements.String()}} {
		if part.text != "" {
			out.WriteString("\n" + part.key + ":\n" + part.text)
		}
	}
	return []byte(out.String())
}

// needed is how many of n hosts a service needs, to begin with.
func needed(n int, group string) string {
	switch n {
	case 1:
		return "{all_of: " + group + "}"
	case 2:
		return "{any_of: " + group + "}"
	}
	return fmt.Sprintf("{at_least: %d, of: %s}", n-1, group)
}

// quoted is the text as YAML: as it is when it can only be a word.
func quoted(text string) string {
	word := regexp.MustCompile(`^[\p{L}][\p{L}\p{N}_/-]*$`)
	switch strings.ToLower(text) {
	case "true", "false", "null", "yes", "no", "on", "off", "y", "n":
	default:
		if word.MatchString(text) {
			return text
		}
	}
	return "'" + strings.ReplaceAll(text, "'", "''") + "'"
}

// ReadInventory reads hosts from CSV: a header with host (or instance) and the
// names of labels, customer among them; one line for each host. All faults
// come at once, each with its line.
func ReadInventory(r io.Reader) ([]Seen, error) {
	in := csv.NewReader(r)
	in.TrimLeadingSpace = true
	header, err := in.Read()
	if err != nil {
		return nil, fmt.Errorf("line 1: no header; name the columns, like host,customer,role: %w", err)
	}
	at := slices.IndexFunc(header, func(name string) bool { return name == "host" || name == "instance" })
	if at < 0 {
		return nil, fmt.Errorf("line 1: no column host among %s", strings.Join(header, ","))
	}
	var out []Seen
	var faults []error
	seen := map[string]int{}
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			return out, errors.Join(faults...)
		}
		if err != nil {
			faults = append(faults, err)
			if !errors.Is(err, csv.ErrFieldCount) {
				return nil, errors.Join(faults...)
			}
			continue
		}
		line, _ := in.FieldPos(0)
		h := Seen{Host: row[at], Labels: map[string]string{}}
		if first := seen[h.Host]; h.Host == "" || first > 0 {
			faults = append(faults, fmt.Errorf("line %d: host %q is empty or stands on line %d already", line, h.Host, first))
			continue
		}
		seen[h.Host] = line
		for i, value := range row {
			if i != at && value != "" {
				h.Labels[header[i]] = value
			}
		}
		out = append(out, h)
	}
}
