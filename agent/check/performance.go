package check

import (
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of the performance data of one run of a plugin.
const (
	maxPerformance = 32  // values; further ones are counted as unread
	maxLabel       = 100 // bytes of a value's label
	maxUnit        = 16  // bytes
)

// Performance is one value that a plugin measured, as it wrote it: nothing is
// converted, for what "KB" is only the plugin knows.
type Performance struct {
	Label, Unit string
	Value       float64
	// Bounds are NaN where the plugin names none, or a range that is no single number.
	Warning, Critical, Min, Max float64
}

// splitOutput parts what a plugin wrote into text and performance data: those
// stand behind a bar on the first line, and from another bar in the long text
// to its end. atEnd tells that the data stand last, so that a cut goes through them.
func splitOutput(out string) (text, data string, atEnd bool) {
	first, long, ended := strings.Cut(out, "\n")
	text, data, _ = strings.Cut(first, "|")
	more, behind, found := strings.Cut(long, "|")
	if found {
		data += "\n" + behind
	}
	return text + "\n" + more, data, found || !ended
}

// readPerformance reads 'label'=value[UOM];[warn];[crit];[min];[max], with
// white space between. unread counts what is none, comes twice or is too much. cut
// tells that the end of the text is missing, so that its last word is not to be believed.
func readPerformance(data string, cut bool) (all []Performance, unread int) {
	seen := map[string]bool{}
	for rest := strings.TrimSpace(data); rest != ""; {
		var word string
		var whole bool
		word, rest, whole = nextWord(rest)
		one, ok := parsePerformance(word)
		switch {
		case whole && isUndetermined(word) && (!cut || rest != ""):
			continue
		case !ok || !whole || cut && rest == "" || seen[one.Label] || len(all) == maxPerformance:
			unread++
			continue
		}
		seen[one.Label] = true
		all = append(all, one)
	}
	return all, unread
}

// nextWord is what stands before the next white space outside of quotes; it
// is not whole where a quote is left open.
func nextWord(text string) (word, rest string, whole bool) {
	quoted := false
	for i, r := range text {
		if r == '\'' {
			quoted = !quoted
		}
		if unicode.IsSpace(r) && !quoted {
			return text[:i], strings.TrimSpace(text[i:]), true
		}
	}
	return text, "", !quoted
}

// isUndetermined tells a value that the plugin says it could not determine: "U".
func isUndetermined(word string) bool {
	_, value, ok := cutLabel(word)
	value, _, _ = strings.Cut(value, ";")
	return ok && value == "U"
}

// cutLabel parts a label, whose quotes are taken off, from the rest.
func cutLabel(word string) (label, rest string, ok bool) {
	i := strings.LastIndexByte(word, '=')
	if strings.HasPrefix(word, "'") {
		end := strings.LastIndex(word, "'=")
		if end <= 0 {
			return "", "", false
		}
		label, rest = strings.ReplaceAll(word[1:end], "''", "'"), word[end+2:]
	} else if i > 0 {
		label, rest = word[:i], word[i+1:]
	}
	if label == "" || len(label) > maxLabel || !utf8.ValidString(label) || strings.ContainsFunc(label, unicode.IsControl) {
		return "", "", false
	}
	return label, rest, true
}

func parsePerformance(word string) (Performance, bool) {
	label, rest, ok := cutLabel(word)
	if !ok {
		return Performance{}, false
	}
	parts := strings.Split(rest, ";")
	end := strings.LastIndexFunc(parts[0], func(r rune) bool { return r >= '0' && r <= '9' || r == '.' }) + 1
	p := Performance{Label: label, Unit: parts[0][end:]}
	if p.Value = number(parts[0][:end]); math.IsNaN(p.Value) || len(p.Unit) > maxUnit || !utf8.ValidString(p.Unit) || len(parts) > 5 || strings.ContainsFunc(p.Unit, notInUnit) {
		return Performance{}, false
	}
	p.Warning, p.Critical, p.Min, p.Max = math.NaN(), math.NaN(), math.NaN(), math.NaN()
	for i, into := range []*float64{&p.Warning, &p.Critical, &p.Min, &p.Max} {
		if i+1 < len(parts) {
			*into = number(parts[i+1])
		}
	}
	return p, true
}

// notInUnit: units are letters and signs, such as %, B or µs.
func notInUnit(r rune) bool {
	return !unicode.IsPrint(r) || unicode.IsSpace(r) || strings.ContainsRune(`'";=|`, r)
}

// number reads a decimal number; NaN for anything else.
func number(text string) float64 {
	if text == "" || strings.ContainsFunc(text, func(r rune) bool { return !strings.ContainsRune("+-.0123456789eE", r) }) {
		return math.NaN()
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(v, 0) {
		return math.NaN()
	}
	return v
}
