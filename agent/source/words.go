package source

import (
	"bytes"
	"fmt"
	"iter"
	"strconv"
)

// line cuts the first line off text; ok is false when text is used up.
func line(text []byte) (first, rest []byte, ok bool) {
	if len(text) == 0 {
		return nil, nil, false
	}
	first, rest, _ = bytes.Cut(text, []byte{'\n'})
	return first, rest, true
}

// lines are the lines of text, without their ends.
func lines(text []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for first, rest, ok := line(text); ok; first, rest, ok = line(rest) {
			if !yield(first) {
				return
			}
		}
	}
}

// word cuts the first word off text: what stands before the next blanks. It
// is empty when there is none.
func word(text []byte) (first, rest []byte) {
	i := 0
	for i < len(text) && (text[i] == ' ' || text[i] == '\t') {
		i++
	}
	j := i
	for j < len(text) && text[j] != ' ' && text[j] != '\t' {
		j++
	}
	return text[i:j], text[j:]
}

// number reads a whole number without a sign and without allocating.
func number(digits []byte) (uint64, error) {
	if len(digits) == 0 || len(digits) > 19 {
		return 0, fmt.Errorf("%q is not a number", shorten(digits))
	}
	var n uint64
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, fmt.Errorf("%q is not a number", shorten(digits))
		}
		n = n*10 + uint64(c-'0')
	}
	return n, nil
}

// numbers reads as many whole numbers as text has, at most len(into), and
// returns how many there were.
func numbers(text []byte, into []uint64) (int, error) {
	for i := range into {
		var w []byte
		if w, text = word(text); len(w) == 0 {
			return i, nil
		}
		n, err := number(w)
		if err != nil {
			return i, err
		}
		into[i] = n
	}
	return len(into), nil
}

// decimal reads a number that may have a fraction.
func decimal(text []byte) (float64, error) {
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a number", shorten(text))
	}
	return f, nil
}

func shorten(text []byte) []byte { return text[:min(len(text), 40)] }
