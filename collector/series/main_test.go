package series

import (
	"flag"
	"os"
	"testing"
)

// TestMain asks rapid for few histories unless told otherwise: each one opens
// and compacts a real store on disk. -rapid.checks=1000 is for a long look.
func TestMain(m *testing.M) {
	for name, few := range map[string]string{"rapid.checks": "10", "rapid.steps": "12"} {
		f := flag.Lookup(name)
		if err := f.Value.Set(few); err != nil {
			panic(err)
		}
	}
	flag.Parse()
	if dir := os.Getenv(childEnv); dir != "" {
		os.Exit(child(dir))
	}
	os.Exit(m.Run())
}
