// Package portable measures what Windows, macOS and FreeBSD can tell, by
// gopsutil, under the names package source uses on Linux.
//
// No Linux program links it. Its tests run on Linux all the same: there the
// values are compared with those that package source reads itself. On the
// other systems it is built, not run.
package portable
