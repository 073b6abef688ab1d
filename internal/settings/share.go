package settings

import (
	"fmt"
	"math/big"
	"strings"
)

// Share is an exact fraction from 0 to 1, written "99.9%" or 0.999. The zero
// value is 0.
type Share struct {
	exact *big.Rat
}

// ParseShare reads "99.9%" or "0.999". A number above 1 without a percent
// sign is refused: nobody can tell what it was meant to be.
func ParseShare(text string) (Share, error) {
	number, percent := strings.CutSuffix(text, "%")
	number = strings.TrimSpace(number)
	if !isDecimal(number) {
		return Share{}, fmt.Errorf("%q is not a share; write it like 99.9%% or 0.999", text)
	}
	exact, ok := new(big.Rat).SetString(number)
	if !ok {
		return Share{}, fmt.Errorf("%q is not a share; write it like 99.9%% or 0.999", text)
	}
	if percent {
		exact.Quo(exact, big.NewRat(100, 1))
	}
	if exact.Cmp(big.NewRat(1, 1)) > 0 {
		if percent {
			return Share{}, fmt.Errorf("%q is more than the whole; a share is at most 100%%", text)
		}
		return Share{}, fmt.Errorf("%q is not a share: it is above 1; write %s%% if per cent is meant", text, text)
	}
	return Share{exact}, nil
}

// isDecimal tells whether s is digits with at most one point, short enough
// for exact arithmetic to stay cheap.
func isDecimal(s string) bool {
	whole, fraction, _ := strings.Cut(s, ".")
	if len(s) > 40 || whole+fraction == "" {
		return false
	}
	return strings.Trim(whole+fraction, "0123456789") == ""
}

// UnmarshalText reads the share for Decode.
func (s *Share) UnmarshalText(text []byte) error {
	parsed, err := ParseShare(string(text))
	if err == nil {
		*s = parsed
	}
	return err
}

// Rat is the exact value, a copy of the caller's own.
func (s Share) Rat() *big.Rat {
	if s.exact == nil {
		return new(big.Rat)
	}
	return new(big.Rat).Set(s.exact)
}

// Float64 is the nearest float.
func (s Share) Float64() float64 {
	f, _ := s.Rat().Float64()
	return f
}

// String is the share in per cent, exactly: "99.9%".
func (s Share) String() string {
	percent := s.Rat()
	percent.Mul(percent, big.NewRat(100, 1))
	text := percent.FloatString(40)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".") + "%"
}
