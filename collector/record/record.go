package record

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// Kind is problem or change, as ISO/IEC 20000 procedures name them.
type Kind string

// Problem is the one kind opened in this version.
const Problem Kind = "PROBLEM"

// Origin says what opened a record.
type Origin string

// The origins of a record in this version.
const (
	Threshold Origin = "THRESHOLD" // a resource stood above its threshold long enough
	Manual    Origin = "MANUAL"    // a person opened it
)

// Text is one text in each language people read records in.
type Text struct {
	English string `json:"en"`
	Chinese string `json:"zh"`
}

// Record is a problem with its newest values. Instants are Unix milliseconds
// UTC; 0 means none.
type Record struct {
	No         string   `json:"record_no"` // PRB-2026-000123
	Kind       Kind     `json:"kind"`
	Version    int64    `json:"version"` // 1 when opened, one more with each amendment
	Customer   string   `json:"customer"`
	Services   []string `json:"services"`
	Components []string `json:"components"` // the primary one first
	Title      Text     `json:"title"`
	Detail     Text     `json:"detail"`
	Origin     Origin   `json:"origin"`

	RuleID      string  `json:"rule_id"`      // for instance capacity/filesystem
	RuleVersion int64   `json:"rule_version"` // catalogue version the rule came from
	Metric      string  `json:"metric"`       // what of the component, for instance filesystem{mountpoint="/data"}
	DetectedAt  int64   `json:"detected_at"`
	FirstSeen   int64   `json:"first_seen"` // the value was above the threshold from then on
	LastSeen    int64   `json:"last_seen"`
	Occurrences int64   `json:"occurrences"`
	Observed    float64 `json:"observed_value"`  // of the newest occurrence, in Unit
	Limit       float64 `json:"threshold_value"` // what Observed passed, in Unit
	Unit        string  `json:"unit"`

	Impact   int `json:"impact"`   // 1 high .. 3 low
	Urgency  int `json:"urgency"`  // 1 high .. 3 low
	Priority int `json:"priority"` // 1 .. 4, derived by Priority

	State      State `json:"state"`
	StateSince int64 `json:"state_since"`
	Recovered  int64 `json:"recovered_at"` // the breach ended then; the record stays open
	// Unmeasured is since when nothing has been measured of what was in breach.
	// Left out while 0, so that the hashes of older records stay what they were.
	Unmeasured int64 `json:"unmeasured_since,omitempty"`

	Key     string `json:"dedup_key"`
	Episode int64  `json:"episode_no"` // counts open to closed cycles of one key
	Relates string `json:"relates"`    // number of the episode before, empty for the first
}

// Amendment is one change of a record, or a note to it.
type Amendment struct {
	No     string `json:"record_no"`
	Seq    int64  `json:"seq"` // 1, 2, 3 … per record
	At     int64  `json:"at"`
	By     string `json:"by"`
	Field  string `json:"field"` // a field of Record, or Note
	Old    string `json:"old"`
	New    string `json:"new"`
	Reason Text   `json:"reason"`
}

// FieldNote is the Field of an amendment that changes nothing and only says something.
const FieldNote = "note"

// Evidence is what was seen when a record opened or repeated. It is kept as
// it was: neither retention nor late data changes it.
type Evidence struct {
	No        string   `json:"record_no"`
	Seq       int64    `json:"seq"` // 1 for the opening, one more per occurrence
	At        int64    `json:"at"`
	Since     int64    `json:"since"`
	Query     string   `json:"query"` // PromQL that gives Points again while raw samples are kept
	Unit      string   `json:"unit"`
	Used      float64  `json:"used"`
	Capacity  float64  `json:"capacity"`  // what Used is measured against
	Threshold float64  `json:"threshold"` // share of Capacity, 0..1
	Hold      int64    `json:"hold_ms"`   // how long it had to stand
	Points    []Point  `json:"points"`    // the hour before, in Unit
	SVG       string   `json:"svg"`       // the same as a chart; empty where none was drawn
	Labels    []string `json:"labels"`    // name=value of the series
}

// Point is one value of a series: Unix milliseconds and a value.
type Point struct {
	T int64
	V float64
}

// MarshalJSON writes [t, v], the shortest form that stays readable.
func (p Point) MarshalJSON() ([]byte, error) {
	return json.Marshal([2]any{p.T, p.V})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (p *Point) UnmarshalJSON(data []byte) error {
	var pair [2]json.Number
	if err := json.Unmarshal(data, &pair); err != nil {
		return fmt.Errorf("read a point: %w", err)
	}
	var err error
	if p.T, err = pair[0].Int64(); err != nil {
		return fmt.Errorf("read the instant of a point: %w", err)
	}
	if p.V, err = pair[1].Float64(); err != nil {
		return fmt.Errorf("read the value of a point: %w", err)
	}
	return nil
}

// Number is the n-th number of kind in year: PRB-2026-000123.
func Number(k Kind, year int, n int64) string {
	prefix := "PRB"
	if k != Problem {
		prefix = "REC"
	}
	return fmt.Sprintf("%s-%04d-%06d", prefix, year, n)
}

// FullNumber is the number of the problem a person means by what they typed:
// 1 is the first one of the year, anything but digits is taken as it is.
func FullNumber(typed string, year int) string {
	n, err := strconv.ParseUint(typed, 10, 32)
	if err != nil {
		return typed
	}
	return Number(Problem, year, int64(n))
}
