// Package crashfs is a file system in memory that can stop at every operation.
// It knows what a disk would hold: what was written but not fsynced, and names
// whose directory was not fsynced, may or may not survive a crash.
//
//	fs := crashfs.New()
//	fs.CrashAt(n)             every operation from the n-th on fails with ErrCrashed
//	… run the program …
//	after := fs.Crash(kind, rnd)   the disk as the next boot finds it
//
// FailAt makes the n-th operation fail and lets the others pass; Capacity
// makes the disk small. A failed Sync behaves as Linux does: the pages it was
// about count as clean, a second Sync succeeds without having written them.
package crashfs
