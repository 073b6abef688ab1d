package settings

import (
	"fmt"
	"strconv"
	"strings"
)

// Size is a number of bytes, written "64MiB", "16KiB" or "1000".
type Size int64

// sizeUnit is a unit with its bytes.
type sizeUnit struct {
	name  string
	bytes Size
}

func sizeUnits() []sizeUnit {
	return []sizeUnit{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}}
}

// ParseSize reads a size. Only binary units are known, so that nobody has to
// guess what a MB is.
func ParseSize(text string) (Size, error) {
	number, factor := strings.TrimSpace(text), int64(1)
	for _, u := range sizeUnits() {
		if rest, ok := strings.CutSuffix(number, u.name); ok {
			number, factor = strings.TrimSpace(rest), int64(u.bytes)
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n > (1<<62)/factor {
		return 0, fmt.Errorf("%q is not a size; write it like 64MiB, 16KiB or 1000", text)
	}
	return Size(n * factor), nil
}

// UnmarshalText reads the size for Decode.
func (s *Size) UnmarshalText(text []byte) error {
	parsed, err := ParseSize(string(text))
	if err == nil {
		*s = parsed
	}
	return err
}

// String is the size in the largest unit that leaves a whole number.
func (s Size) String() string {
	for _, u := range sizeUnits() {
		if s != 0 && s%u.bytes == 0 {
			return strconv.FormatInt(int64(s/u.bytes), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10)
}
