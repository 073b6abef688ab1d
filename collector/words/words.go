package words

import (
	"embed"
	"fmt"
	"regexp"
	"sort"
	"strconv"
	"strings"
)

//go:embed *.words
var files embed.FS

// Languages are those there is a file for; the first is the default.
func Languages() []string { return []string{"en", "zh-CN"} }

// Book is all the text in one language.
type Book struct {
	Lang string
	text map[string]string
}

// Shelf holds the book of each language.
type Shelf map[string]*Book

// Read parses the files that are part of the program.
func Read() (Shelf, error) {
	shelf := Shelf{}
	for _, lang := range Languages() {
		data, err := files.ReadFile(lang + ".words")
		if err != nil {
			return nil, fmt.Errorf("read the words of %s: %w", lang, err)
		}
		text, err := parse(string(data))
		if err != nil {
			return nil, fmt.Errorf("read the words of %s: %w", lang, err)
		}
		shelf[lang] = &Book{Lang: lang, text: text}
	}
	return shelf, nil
}

// parse reads lines "key = text"; an empty line and one that begins with # say nothing.
func parse(data string) (map[string]string, error) {
	text := map[string]string{}
	for i, line := range strings.Split(data, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, value, ok := strings.Cut(line, " = ")
		key = strings.TrimSpace(key)
		if !ok || key == "" {
			return nil, fmt.Errorf("line %d: want key = text", i+1)
		}
		if _, twice := text[key]; twice {
			return nil, fmt.Errorf("line %d: %s stands there twice", i+1, key)
		}
		text[key] = strings.TrimSpace(value)
	}
	return text, nil
}

// T is the text of key with its arguments filled in: %s takes the next one,
// %[2]s the second; any other % is a percent sign. A key nobody wrote a text
// for shows itself, so that it is seen.
func (b *Book) T(key string, args ...any) string {
	text, ok := b.text[key]
	if !ok {
		return "⟨" + key + "⟩"
	}
	next := 0
	return argument.ReplaceAllStringFunc(text, func(verb string) string {
		i := next
		if verb != "%s" {
			i = int(verb[2] - '1')
		} else {
			next++
		}
		if i >= len(args) {
			return "⟨" + verb + "⟩"
		}
		return fmt.Sprint(args[i])
	})
}

var argument = regexp.MustCompile(`%(?:\[[1-9]\])?s`)

// Has tells whether there is a text for key.
func (b *Book) Has(key string) bool {
	_, ok := b.text[key]
	return ok
}

// Or is the text of key, or other where there is none: for names that come
// from data, such as the state of a record.
func (b *Book) Or(key, other string) string {
	if b.Has(key) {
		return b.text[key]
	}
	return other
}

// Choose is the book for an explicit wish ("zh", "zh-CN", "en"; may be empty)
// and else for an Accept-Language header.
func (s Shelf) Choose(wish, accept string) *Book {
	if b := s.match(wish); b != nil {
		return b
	}
	type choice struct {
		tag string
		q   float64
	}
	var choices []choice
	for _, part := range strings.Split(accept, ",") {
		tag, rest, _ := strings.Cut(strings.TrimSpace(part), ";")
		q := 1.0
		if value, ok := strings.CutPrefix(strings.TrimSpace(rest), "q="); ok {
			parsed, err := strconv.ParseFloat(value, 64)
			if err != nil {
				continue
			}
			q = parsed
		}
		if q > 0 && len(choices) < 20 {
			choices = append(choices, choice{tag, q})
		}
	}
	sort.SliceStable(choices, func(i, j int) bool { return choices[i].q > choices[j].q })
	for _, c := range choices {
		if b := s.match(c.tag); b != nil {
			return b
		}
	}
	return s[Languages()[0]]
}

// match finds the book whose language is tag's, whatever its region.
func (s Shelf) match(tag string) *Book {
	base, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
	for _, lang := range Languages() {
		have, _, _ := strings.Cut(strings.ToLower(lang), "-")
		if base != "" && base == have {
			return s[lang]
		}
	}
	return nil
}
