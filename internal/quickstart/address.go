package quickstart

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/plimsoll/plimsoll/internal/durable"
)

// addressesFile is where quickstart remembers, beside agent.yaml, which
// addresses it wrote there: {"sample-page": ["http://127.0.0.1:1879/"], …}. Of
// a check that moves, the address before is kept: agent.yaml has it still if
// the move was not finished.
const addressesFile = "quickstart.json"

// addresses are those of quickstart's own checks, by component.
type addresses map[string]string

// follow makes the checks that quickstart wrote into agent.yaml ask today's
// addresses. A check a person changed is left, and so is all else in the file.
// It returns what to tell.
func (today addresses) follow(data string) (told []string, err error) {
	name, memory := filepath.Join(data, "agent.yaml"), filepath.Join(data, addressesFile)
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	written, err := readAddresses(memory)
	if errors.Is(err, fs.ErrNotExist) {
		written, err = firstWritten(string(text)), nil
	}
	if err != nil {
		return nil, err
	}
	lines := strings.Split(string(text), "\n")
	remember := map[string][]string{}
	maps.Copy(remember, written) // of a check that is gone, or in a file with a fault
	moved := false
	for _, c := range addressesIn(text) {
		want, ours := today[c.component]
		switch {
		case !ours:
			continue
		case c.address == want:
		case !slices.Contains(written[c.component], c.address) || !c.replace(lines, want):
			told = append(told, fmt.Sprintf("%s has the check of %s ask %s, as a person wrote it; it is at %s this time.", name, c.component, c.address, want))
			continue
		default:
			moved = true
			told = append(told, fmt.Sprintf("The check of %s in %s follows: it asks %s from now on, not %s.", c.component, name, want, c.address))
		}
		remember[c.component] = slices.Compact([]string{want, c.address})
	}
	// Remembered first: a stop in between must not make our address a person's.
	if err := writeAddresses(memory, remember); err != nil {
		return nil, fmt.Errorf("remember the addresses of the checks: %w", err)
	}
	if !moved {
		return told, nil
	}
	return told, durable.WriteFile(name, []byte(strings.Join(lines, "\n")), 0o640)
}

// firstWritten are the addresses in a file that is as quickstart first wrote
// it: before there was a memory, they are quickstart's own.
func firstWritten(text string) map[string][]string {
	found := map[string][]string{}
	for _, c := range addressesIn([]byte(text)) {
		found[c.component] = append(found[c.component], c.address)
	}
	page, sample := found[componentPage], found[componentSample]
	if len(page) != 1 || len(sample) != 1 || agentText(page[0], sample[0]) != text {
		return nil
	}
	return found
}

func readAddresses(name string) (written map[string][]string, err error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &written); err != nil {
		return nil, fmt.Errorf("read %s: %w; remove it, and the checks stay as they are in agent.yaml", name, err)
	}
	return written, nil
}

func writeAddresses(name string, written map[string][]string) error {
	text, err := json.Marshal(written)
	if err != nil {
		return err
	}
	return durable.WriteFile(name, append(text, '\n'), 0o640)
}

// httpCheck is the address of one http check where it stands in agent.yaml.
type httpCheck struct {
	component, address string
	node               *yaml.Node
}

// addressesIn finds the http checks. A file that cannot be read as YAML has
// none; the agent names its faults.
func addressesIn(text []byte) (found []httpCheck) {
	var file struct {
		Checks []struct {
			Component string    `yaml:"component"`
			HTTP      yaml.Node `yaml:"http"`
		} `yaml:"checks"`
	}
	if yaml.Unmarshal(text, &file) != nil {
		return nil
	}
	for i := range file.Checks {
		if c := &file.Checks[i]; c.HTTP.Kind == yaml.ScalarNode {
			found = append(found, httpCheck{c.Component, c.HTTP.Value, &c.HTTP})
		}
	}
	return found
}

// replace puts the address to where this one stands, in its own quotes. It
// does nothing where the text is not plainly the address, as with escapes.
func (w httpCheck) replace(lines []string, to string) bool {
	line, column := w.node.Line-1, w.node.Column-1
	if line < 0 || line >= len(lines) {
		return false
	}
	runes := []rune(lines[line])
	if column < 0 || column >= len(runes) {
		return false
	}
	before, rest := string(runes[:column]), string(runes[column:])
	for _, quote := range []string{`"`, `'`, ""} {
		if after, ok := strings.CutPrefix(rest, quote+w.address+quote); ok {
			if quote == "" { // plain text may not be good in plain text's place
				quote = `"`
			}
			if quote == `"` {
				to = strconv.Quote(to)
			} else {
				to = quote + to + quote
			}
			lines[line] = before + to + after
			return true
		}
	}
	return false
}
