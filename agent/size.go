package agent

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Size is a number of bytes as configuration files write it: "512MiB",
// "1GiB", "64KiB" or a plain number.
type Size int64

type sizeUnit struct {
	name  string
	bytes int64
}

func sizeUnits() []sizeUnit {
	return []sizeUnit{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}}
}

// UnmarshalText reads the size for settings.Decode.
func (s *Size) UnmarshalText(text []byte) error {
	number, factor := string(text), int64(1)
	for _, u := range sizeUnits() {
		if rest, ok := strings.CutSuffix(number, u.name); ok {
			number, factor = rest, u.bytes
			break
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64/factor {
		return fmt.Errorf("%q is not a size; write it like 512MiB, 1GiB or 65536", text)
	}
	*s = Size(n * factor)
	return nil
}

// String writes the size the way UnmarshalText reads it.
func (s Size) String() string {
	for _, u := range sizeUnits() {
		if s > 0 && int64(s)%u.bytes == 0 {
			return fmt.Sprintf("%d%s", int64(s)/u.bytes, u.name)
		}
	}
	return strconv.FormatInt(int64(s), 10)
}
