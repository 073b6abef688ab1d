//go:build race

package journal_test

// stride thins out the exhaustive tests under the race detector: they run in
// one goroutine and have nothing for it to find.
const stride = 11
