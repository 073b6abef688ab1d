package evaluate_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/collector/evaluate"
)

// setting reads a number from the environment: PLIMSOLL_ORACLE_RUNS and
// PLIMSOLL_ORACLE_SEED choose how many problems the oracle compares and
// which is the first; seeds follow each other.
func setting(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s=%s: %v", name, text, err)
	}
	return n
}

// ask runs evaluate on a problem's files in a folder.
func (p *problem) ask(dir string) (*answer, error) {
	catalogue, facts := filepath.Join(dir, "catalogue.yaml"), filepath.Join(dir, "facts.csv")
	if err := os.WriteFile(catalogue, []byte(p.catalogue()), 0o600); err != nil {
		return nil, err
	}
	if err := os.WriteFile(facts, []byte(p.csv()), 0o600); err != nil {
		return nil, err
	}
	return p.askFiles(facts, catalogue)
}

func (p *problem) askFiles(facts, catalogue string) (*answer, error) {
	var stdout, stderr bytes.Buffer
	status := evaluate.Run(context.Background(), evaluate.Options{FactsPath: facts, CataloguePath: catalogue,
		From: p.from.String(), To: p.to.String(), AsOf: rfc3339(p.asOf), Format: "json", Now: time.UnixMilli(p.asOf)}, &stdout, &stderr)
	if status != 0 {
		return nil, fmt.Errorf("exit status %d: %s", status, strings.TrimSpace(stderr.String()))
	}
	return decode(stdout.Bytes())
}

// inputs is everything a person needs to repeat a difference by hand.
func (p *problem) inputs() string {
	return fmt.Sprintf("PLIMSOLL_ORACLE_RUNS=1 PLIMSOLL_ORACLE_SEED=%d\n--from %s --to %s --as-of %s\n%s\n%s",
		p.seed, p.from, p.to, rfc3339(p.asOf), p.catalogue(), p.csv())
}

// TestOracleAgrees compares evaluate with the oracle on random problems,
// field by field.
func TestOracleAgrees(t *testing.T) {
	runs, first := setting(t, "PLIMSOLL_ORACLE_RUNS", 300), setting(t, "PLIMSOLL_ORACLE_SEED", 1)
	zs, dir, failed := zones{}, t.TempDir(), 0
	for seed := first; seed < first+runs && failed < 5; seed++ {
		p := generate(seed, zs)
		lines, err := p.check(dir, zs)
		if err != nil {
			lines = []string{err.Error()}
		}
		if len(lines) == 0 {
			continue
		}
		failed++
		p = p.shrink(dir, zs)
		if fewer, err := p.check(dir, zs); err == nil && len(fewer) > 0 {
			lines = fewer
		}
		t.Errorf("seed %d:\n%s\n%s", seed, strings.Join(lines, "\n"), p.inputs())
	}
	t.Logf("%d problems compared, seeds %d to %d", runs, first, first+runs-1)
}

func (p *problem) check(dir string, zs zones) ([]string, error) {
	got, err := p.ask(dir)
	if err != nil {
		return nil, err
	}
	return p.differences(got, p.expect(zs), zs), nil
}
