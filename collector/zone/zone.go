// Package zone says which time zone data calendars are computed with.
//
// A calendar in local time is only as right as the zone data of the host, and
// a figure comes out the same again only with the same data: so a signed
// figure names its data, by version where it is known and by fingerprint of
// the zone's transitions in any case.
package zone

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Embedded is the Source of the data inside the program.
const Embedded = "embedded"

// TooOld is the age at which zone data should be replaced: governments change
// their clocks at some months' notice, and IANA publishes several times a year.
const TooOld = 180 * 24 * time.Hour

// Data is the zone data of this process.
type Data struct {
	Source   string    // Embedded, or the directory or file it is read from
	Version  string    // as IANA names it, like 2025c; empty where it is not known
	Released time.Time // of that version, a lower bound for versions younger than this program; zero where it is not known
}

// Find looks for the zone data where the time package finds it: at
// ZONEINFO, in the directories of the system, else inside the program, which
// goVersion (runtime.Version) tells the version of.
func Find(goVersion string) Data { return find(os.Getenv("ZONEINFO"), systemDirs(), goVersion) }

// systemDirs are the directories of the time package, on Unix.
func systemDirs() []string {
	return []string{"/usr/share/zoneinfo", "/usr/share/lib/zoneinfo", "/usr/lib/locale/TZ", "/etc/zoneinfo"}
}

func find(zoneinfo string, dirs []string, goVersion string) Data {
	if zoneinfo != "" {
		if _, err := os.Stat(zoneinfo); err == nil {
			return told(zoneinfo)
		}
	}
	for _, dir := range dirs {
		if _, err := os.Stat(filepath.Join(dir, "Europe")); err == nil {
			return told(dir)
		}
	}
	d := Data{Source: Embedded}
	for _, known := range goVersions() {
		if strings.HasPrefix(goVersion, known[0]+".") || goVersion == known[0] {
			d.Version = known[1]
		}
	}
	d.Released = released(d.Version)
	return d
}

// told is the data of a directory, with the version it tells of itself.
func told(dir string) Data {
	d := Data{Source: dir, Version: version(os.DirFS(dir))}
	d.Released = released(d.Version)
	return d
}

// version reads what a zoneinfo directory says of itself: tzdata.zi begins
// with "# version 2025b", and BSD keeps a file named +VERSION.
func version(dir fs.FS) string {
	if text, err := fs.ReadFile(dir, "+VERSION"); err == nil {
		return valid(string(bytes.TrimSpace(text)))
	}
	f, err := dir.Open("tzdata.zi")
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }() // only read from
	line, _ := bufio.NewReader(f).ReadString('\n')
	name, _ := strings.CutPrefix(strings.TrimSpace(line), "# version ")
	return valid(name)
}

// valid is name where it is the name of a version: four digits and a letter
// or two.
func valid(name string) string {
	if len(name) < 5 || len(name) > 6 || strings.Trim(name[:4], "0123456789") != "" || strings.Trim(name[4:], "abcdefghijklmnopqrstuvwxyz") != "" {
		return ""
	}
	return name
}

// released is when IANA published a version. Of one that is not listed only
// the year is known, and its first day is the bound.
func released(version string) time.Time {
	if version = valid(version); version == "" {
		return time.Time{}
	}
	for _, known := range releases() {
		if known[0] == version {
			version = known[1]
			break
		}
	}
	if len(version) < len(time.DateOnly) {
		version = version[:4] + "-01-01"
	}
	t, err := time.Parse(time.DateOnly, version)
	if err != nil {
		return time.Time{}
	}
	return t
}

// releases are the versions of https://www.iana.org/time-zones and their days,
// from its NEWS file.
func releases() [][2]string {
	return [][2]string{
		{"2023c", "2023-03-28"}, {"2023d", "2023-12-21"},
		{"2024a", "2024-02-01"}, {"2024b", "2024-09-04"},
		{"2025a", "2025-01-15"}, {"2025b", "2025-03-22"}, {"2025c", "2025-12-10"},
	}
}

// goVersions are the versions inside the releases of Go, from DATA in its
// lib/time/update.bash.
func goVersions() [][2]string {
	return [][2]string{{"go1.24", "2025a"}, {"go1.25", "2025b"}, {"go1.26", "2025c"}}
}

// Age is how old the data is at an instant; false where that is not known.
func (d Data) Age(now time.Time) (time.Duration, bool) {
	if d.Released.IsZero() {
		return 0, false
	}
	return now.Sub(d.Released), true
}

// String is like "2025c (embedded)".
func (d Data) String() string {
	if d.Version == "" {
		return "of unknown version (" + d.Source + ")"
	}
	return d.Version + " (" + d.Source + ")"
}

// Fingerprint is the SHA-256 in hexadecimal of all transitions of a zone in
// [from, to): the instant, the offset in seconds and the abbreviation that
// hold from there. Two data sets that give it equally give every calendar
// equally, whatever they are called.
func Fingerprint(zone *time.Location, from, to time.Time) string {
	sum, before := sha256.New(), ""
	for at := from.In(zone); at.Before(to); {
		name, offset := at.Zone()
		// Some files list transitions that change nothing.
		if now := fmt.Sprint(offset, " ", name); now != before {
			_, _ = fmt.Fprintln(sum, at.Unix(), now) // never fails
			before = now
		}
		_, end := at.ZoneBounds()
		if end.IsZero() {
			break
		}
		if !end.After(at) { // at the turn of some years Go gives the end of the year before
			end = at.Add(time.Hour)
		}
		at = end
	}
	return hex.EncodeToString(sum.Sum(nil))
}
