package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/plimsoll/plimsoll/collector/web"
)

// programName is what this program is called where it is in PATH.
const programName = "plimsoll-collector"

// invocation is how a person calls this very program in a shell.
func invocation() string {
	executable, err := os.Executable()
	if err != nil {
		return programName
	}
	found, err := exec.LookPath(programName)
	if err != nil {
		found = ""
	}
	return called(executable, found)
}

// called tells it from the program's own path and that of the one in PATH,
// which may be empty.
func called(executable, inPath string) string {
	if inPath != "" && sameFile(executable, inPath) {
		return programName
	}
	if byGoRun(executable) {
		return "go run ./cmd/" + programName
	}
	return web.ShellWord(executable)
}

func sameFile(a, b string) bool {
	one, err := os.Stat(a)
	if err != nil {
		return false
	}
	other, err := os.Stat(b)
	return err == nil && os.SameFile(one, other)
}

// byGoRun tells a program that "go run" built: it lies in a folder of the
// build, or of the build cache, and is gone or has moved by tomorrow.
func byGoRun(executable string) bool {
	return regexp.MustCompile(`/go-build\d+/b\d+/exe/[^/]+$|/[0-9a-f]{64}-d/[^/]+$`).MatchString(filepath.ToSlash(executable))
}

// understood is args as the parser takes them: "help" is --help, and a value
// like -5h after its flag is a value, not a flag.
func understood(args []string) []string {
	if len(args) > 0 && args[0] == "help" {
		return append(append([]string{}, args[1:]...), "--help")
	}
	negative := regexp.MustCompile(`^-[0-9]`)
	var out []string
	for _, a := range args {
		if last := len(out) - 1; last >= 0 && negative.MatchString(a) && strings.HasPrefix(out[last], "--") && !strings.Contains(out[last], "=") {
			out[last] += "=" + a
			continue
		}
		out = append(out, a)
	}
	return out
}
