package settings

import "testing"

func TestSizes(t *testing.T) {
	for _, row := range []struct {
		text, back string
		bytes      Size
		bad        bool
	}{
		{"64MiB", "64MiB", 64 << 20, false},
		{"16 KiB", "16KiB", 16 << 10, false},
		{"2048KiB", "2MiB", 2 << 20, false},
		{"1GiB", "1GiB", 1 << 30, false},
		{"2TiB", "2TiB", 2 << 40, false},
		{"65537", "65537", 65537, false},
		{"", "", 0, true},
		{"MiB", "", 0, true},
		{"1.5GiB", "", 0, true},
		{"99999999999TiB", "", 0, true},
		{"1000", "1000", 1000, false},
		{"0", "0", 0, false},
		{"64MB", "", 0, true},
		{"-1", "", 0, true},
		{"9999999999GiB", "", 0, true},
		{"1.5MiB", "", 0, true},
	} {
		got, err := ParseSize(row.text)
		if (err != nil) != row.bad || got != row.bytes || !row.bad && got.String() != row.back {
			t.Errorf("%q: got %d (%s), %v, want %d (%s)", row.text, got, got, err, row.bytes, row.back)
		}
	}
}

func FuzzParseSize(f *testing.F) {
	f.Add("64MiB")
	f.Add("-1KiB")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSize(text)
		if err != nil {
			return
		}
		if again, err := ParseSize(s.String()); err != nil || again != s {
			t.Fatalf("%q is %d, whose text %s is %d, %v", text, s, s, again, err)
		}
	})
}
