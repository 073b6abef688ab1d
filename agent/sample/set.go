package sample

import "math"

// Sample is one value of one series at one instant.
type Sample struct {
	Name   string   // of the metric
	Labels []string // name, value, name, value …; names ascending
	T      int64    // Unix milliseconds
	V      float64
}

// Set is the samples of one collection in the order they were added. The
// zero value is ready. It is not safe for several goroutines.
type Set struct {
	at      int64
	samples []Sample
	labels  []string          // backs Sample.Labels
	names   map[string]string // interned texts that come from bytes
}

// maxInterned bounds the texts remembered by Intern; a host with more device
// names than this starts over.
const maxInterned = 4096

// Reset empties the set for a collection at the instant, Unix milliseconds.
func (s *Set) Reset(at int64) {
	s.at = at
	s.samples = s.samples[:0]
	s.labels = s.labels[:0]
}

// Add appends a sample at the set's instant. Labels are pairs of name and
// value, the names in ascending order; a pair without a value is left out, as
// an empty label is no label. A value that is not a number is left out too.
func (s *Set) Add(name string, value float64, labels ...string) {
	s.AddAt(s.at, name, value, labels...)
}

// AddAt appends a sample at an instant of its own, Unix milliseconds.
func (s *Set) AddAt(at int64, name string, value float64, labels ...string) {
	if math.IsNaN(value) {
		return
	}
	from := len(s.labels)
	for i := 0; i+1 < len(labels); i += 2 {
		if labels[i+1] != "" {
			s.labels = append(s.labels, labels[i], labels[i+1])
		}
	}
	s.samples = append(s.samples, Sample{Name: name, Labels: s.labels[from:len(s.labels):len(s.labels)], T: at, V: value})
}

// Intern returns b as a string without a new one for each collection.
func (s *Set) Intern(b []byte) string {
	if text, ok := s.names[string(b)]; ok {
		return text
	}
	if s.names == nil || len(s.names) >= maxInterned {
		s.names = make(map[string]string)
	}
	text := string(b)
	s.names[text] = text
	return text
}

// Samples are valid until the next Reset.
func (s *Set) Samples() []Sample { return s.samples }

// Len is the number of samples.
func (s *Set) Len() int { return len(s.samples) }
