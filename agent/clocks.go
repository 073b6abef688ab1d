package agent

import (
	"crypto/rand"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
)

// newRun names this start of the agent: 128 random bits in hex.
func newRun() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: it stops the program instead
	return hex.EncodeToString(b[:])
}

// bootID is the kernel's own name of this boot; empty where there is none.
func bootID(proc string) string {
	text, err := os.ReadFile(filepath.Join(proc, "sys/kernel/random/boot_id"))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
