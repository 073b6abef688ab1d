package journal_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/plimsoll/plimsoll/internal/journal"
)

// BenchmarkAppend appends records of 512 bytes to the real disk, each
// acknowledged after its fsync, from one and from many goroutines.
func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			j, _ := open(b, journal.Options{})
			data := make([]byte, 512)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			b.ResetTimer()
			var wg sync.WaitGroup
			for w := range writers {
				wg.Go(func() {
					for i := w; i < b.N; i += writers {
						if _, err := j.Append(data); err != nil {
							b.Error(err)
						}
					}
				})
			}
			wg.Wait()
			st := j.Stats()
			b.ReportMetric(float64(st.Appends)/b.Elapsed().Seconds(), "appends/s")
			b.ReportMetric(float64(st.Fsyncs)/b.Elapsed().Seconds(), "fsyncs/s")
		})
	}
}

// BenchmarkRead reads records of 512 bytes back.
func BenchmarkRead(b *testing.B) {
	j, _ := open(b, journal.Options{})
	data := make([]byte, 512)
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			for range 500 {
				if _, err := j.Append(data); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	r := j.NewReader(0)
	for b.Loop() {
		if _, ok, err := r.TryNext(); err != nil {
			b.Fatal(err)
		} else if !ok {
			_ = r.Close()
			r = j.NewReader(0)
		}
	}
	_ = r.Close()
}
