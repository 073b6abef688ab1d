package closing

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"time"

	"github.com/plimsoll/plimsoll/collector/availability"
)

// Frozen is everything a closed month is made of.
type Frozen struct {
	Customer  string   `json:"customer"`
	Period    string   `json:"period"`
	AsOf      int64    `json:"as_of_ms"`
	Catalogue string   `json:"catalogue_sha256"`
	Program   string   `json:"program"`
	Go        string   `json:"go"`
	Zones     string   `json:"zone_data,omitempty"` // of the program that froze it; empty in months frozen before this was kept
	Results   []Result `json:"results"`
}

// Result is one agreement version: the explanation has the inputs, too.
type Result struct {
	Explanation availability.Explanation `json:"explanation"`
	Exact       availability.Exact       `json:"exact"`
	Indicators  []Indicator              `json:"indicators"`
}

// Indicator is what of an indicator its JSON leaves out.
type Indicator struct {
	Kind  availability.Kind `json:"kind"`
	Exact *big.Rat          `json:"exact"`
}

// Freeze takes the explanations of one customer.
func Freeze(customer, period, catalogue, program, goVersion string, asOf int64, all []availability.Explanation) Frozen {
	f := Frozen{Customer: customer, Period: period, AsOf: asOf, Catalogue: catalogue, Program: program, Go: goVersion, Results: []Result{}}
	for _, x := range all {
		r := Result{Explanation: x, Exact: x.Figures.Exact, Indicators: []Indicator{}}
		for _, i := range x.Figures.Indicators {
			r.Indicators = append(r.Indicators, Indicator{i.Kind, i.Exact})
		}
		f.Results = append(f.Results, r)
	}
	return f
}

// Text is the canonical JSON, and Hash its SHA-256 in hex: fields in a fixed
// order, fractions in lowest terms, no blanks. The same figures give the same bytes.
func (f *Frozen) Text() (text, hash string, err error) {
	raw, err := json.Marshal(f)
	if err != nil {
		return "", "", fmt.Errorf("freeze the period: %w", err)
	}
	return string(raw), Hash(string(raw)), nil
}

// Hash is the SHA-256 of a frozen text, in hex.
func Hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// Thaw reads a frozen text whose hash is known; another text is refused.
func Thaw(text, hash string) (*Frozen, error) {
	if got := Hash(text); got != hash {
		return nil, fmt.Errorf("the frozen period has the hash %s where %s was written: it was changed; restore the ledger from a backup", got, hash)
	}
	var f Frozen
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		return nil, fmt.Errorf("read the frozen period: %w", err)
	}
	for i := range f.Results {
		if err := f.Results[i].thaw(); err != nil {
			return nil, err
		}
	}
	return &f, nil
}

// thaw puts back what JSON leaves out: zones, fractions and pieces.
func (r *Result) thaw() error {
	x := &r.Explanation
	zone, err := time.LoadLocation(x.Policies.Zone)
	if err != nil {
		return fmt.Errorf("read the frozen period: %w", err)
	}
	f := &x.Figures
	f.Exact = r.Exact
	for i := range min(len(f.Indicators), len(r.Indicators)) {
		f.Indicators[i].Kind, f.Indicators[i].Exact = r.Indicators[i].Kind, r.Indicators[i].Exact
	}
	instants := append([]*availability.Instant{&f.From, &f.To, &f.AsOf}, ends(f.Outages)...)
	for i := range f.Indicators {
		if b := f.Indicators[i].Basis; b != nil && b.At != nil {
			instants = append(instants, b.At)
		}
	}
	for i := range f.Functions {
		instants = append(instants, ends(f.Functions[i].Outages)...)
	}
	for i := range x.Functions {
		for k := range x.Functions[i].Rows {
			instants = append(instants, &x.Functions[i].Rows[k].From, &x.Functions[i].Rows[k].To)
		}
	}
	for i := range x.Rows {
		row := &x.Rows[i]
		instants = append(instants, &row.From, &row.To)
		p := availability.Piece{Span: availability.Span{From: row.From.MS, To: row.To.MS}, Cut: row.Cut, Why: row.Why}
		if row.State != nil {
			p.State = *row.State
		}
		f.Pieces = append(f.Pieces, p)
	}
	for i := range x.Streaks {
		s := &x.Streaks[i]
		instants = append(instants, &s.First, &s.Last, &s.Until)
	}
	for _, each := range instants {
		each.Zone = zone
	}
	return nil
}

// ends are the instants that outages name.
func ends(outages []availability.Outage) (all []*availability.Instant) {
	for i := range outages {
		o := &outages[i]
		for _, each := range []*availability.Instant{&o.From, o.To, o.Earliest} {
			if each != nil {
				all = append(all, each)
			}
		}
	}
	return all
}

// Figures are those of the month as they were frozen.
func (f *Frozen) Figures() []availability.Figures {
	var all []availability.Figures
	for i := range f.Results {
		all = append(all, f.Results[i].Explanation.Figures)
	}
	return all
}

// Explanations are those of the month as they were frozen.
func (f *Frozen) Explanations() []availability.Explanation {
	var all []availability.Explanation
	for i := range f.Results {
		all = append(all, f.Results[i].Explanation)
	}
	return all
}
