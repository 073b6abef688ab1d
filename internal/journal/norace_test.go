//go:build !race

package journal_test

// stride is the step of the exhaustive tests: every operation.
const stride = 1
