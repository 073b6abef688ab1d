package need

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

// Soak tells whether this is a long run: PLIMSOLL_SOAK=1, set by `make soak`.
func Soak() bool { return os.Getenv("PLIMSOLL_SOAK") == "1" }

// Rounds is how often a test that strikes at random does so: few in `make
// test`, a quarter of them with -short, many in `make soak`, and
// PLIMSOLL_ROUNDS where a person asks for another number.
func Rounds(t testing.TB, few, many int) int {
	t.Helper()
	n := few
	if testing.Short() {
		n = max(few/4, 2)
	}
	if Soak() {
		n = many
	}
	if asked := os.Getenv("PLIMSOLL_ROUNDS"); asked != "" {
		var err error
		if n, err = strconv.Atoi(asked); err != nil || n < 1 {
			t.Fatalf("PLIMSOLL_ROUNDS=%q is not a number of rounds", asked)
		}
	}
	return n
}

// Random is the randomness of such a test. Its seed is logged, and
// PLIMSOLL_SEED gives the same again.
func Random(t testing.TB) *rand.Rand {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if asked := os.Getenv("PLIMSOLL_SEED"); asked != "" {
		var err error
		if seed, err = strconv.ParseUint(asked, 10, 64); err != nil {
			t.Fatalf("PLIMSOLL_SEED=%q is not a number", asked)
		}
	}
	t.Logf("PLIMSOLL_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 7))
}

// Benching tells whether `make bench` runs: PLIMSOLL_BENCH=1.
func Benching() bool { return os.Getenv("PLIMSOLL_BENCH") == "1" }

// Bench skips the test unless `make bench` runs it: it takes minutes and
// wants a quiet machine.
func Bench(t testing.TB) {
	t.Helper()
	if !Benching() {
		t.Skip("a benchmark of minutes: make bench")
	}
}
