package durable

// SyncDir has nothing to do on Windows, which journals its renames and cannot
// sync a directory.
func SyncDir(string) error { return nil }
