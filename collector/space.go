package collector

import "syscall"

// Free space below which nothing is acknowledged any more, so that the pages,
// the ledger and the compaction of what is there already go on: a twentieth of
// the file system, at most 1 GiB.
const (
	maxMinFree   = 1 << 30 // bytes
	minFreeShare = 0.05
)

// minFree is that bound for the file system of dir. One that does not tell its
// size is taken for a large one.
func minFree(dir string) int64 {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil || st.Blocks == 0 {
		return maxMinFree
	}
	return int64(min(maxMinFree, minFreeShare*float64(st.Blocks)*float64(st.Bsize)))
}
