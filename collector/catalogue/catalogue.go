package catalogue

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/plimsoll/plimsoll/collector/availability"
	"github.com/plimsoll/plimsoll/collector/capacity"
	"github.com/plimsoll/plimsoll/internal/settings"
)

// Resource is a declared capacity resource.
type Resource = capacity.Resource

// Catalogue is a catalogue without faults.
type Catalogue struct {
	Availability *availability.Catalogue
	Resources    []Resource
	Exceptions   []capacity.Exception // of resources, also of the shipped ones; the first that matches counts
	Checks       []Check
	Hash         string // SHA-256 of Source, in hex
	Source       []byte // the file as it was read, or the one text that several make
	doubts       settings.Faults

	template template
}

// Parse reads and checks the catalogue in data; file is the name that faults
// carry. With faults, all of them, the catalogue is nil.
func Parse(file string, data []byte) (*Catalogue, settings.Faults) {
	return ParseFiles(file, []settings.Text{{File: file, Data: data}})
}

// ParseFiles reads several files as one catalogue with one name space; name is
// what the whole is called. Faults name the file they stand in.
func ParseFiles(name string, texts []settings.Text) (*Catalogue, settings.Faults) {
	var f catalogueFile
	doc, faults := settings.DecodeFiles(name, texts, &f, notYet())
	c := &checker{doc: doc, faults: faults, refused: map[string]bool{}}
	for _, fault := range faults {
		c.refused[fault.Path] = true
	}
	built := c.build(&f)
	checks, exceptions := c.checks(f), c.exceptions(f)
	if len(c.faults) > 0 {
		return nil, c.faults.Sorted()
	}
	hash := sha256.Sum256(doc.Source)
	out := &Catalogue{Availability: built, Resources: c.resources(f.Resources), Exceptions: exceptions, Checks: checks, Hash: hex.EncodeToString(hash[:]), Source: append([]byte(nil), doc.Source...),
		doubts: c.doubts.Sorted(), template: template{agreed: built, groups: f.Groups, checks: groupChecks(f.Checks), plain: checks}}
	if out.HasGroups() {
		out, _ = out.Expand(nil) // nobody is a member as long as nobody is known
	}
	return out, nil
}

// notYet are keys the specifications have and nothing acts on yet.
func notYet() map[string]string {
	keys := map[string]string{
		"customers":           "a customer is named at its services",
		"notices":             "nobody is notified; look at the overview",
		"reports":             "reports have one form",
		"quiets":              "there are no notices to be quiet",
		"managed":             "the file is only ever edited by hand",
		"budgets":             "budgets and costs are not kept",
		"components[].checks": "checks have a list of their own, checks",
		"components[].site":   "sites are not known",
		"services[].contacts": "nobody is notified; look at the overview",
		"services[].checks":   "checks have a list of their own, checks",
		"services[].site":     "sites are not known",
	}
	for key, why := range map[string]string{
		"lead_time": "nothing is forecast", "horizon": "nothing is forecast", "headroom": "no change is proposed",
		"step": "no change is proposed", "price": "costs are not computed", "season": "there are no baselines",
		"except": "exceptions have a list of their own, exceptions",
	} {
		keys["resources[]."+key] = why
	}
	return keys
}
