// Package rules holds the house rules of this repository as tests: who may
// import whom, that each package says what it is, that every path, command,
// flag, metric and configuration key named in the documents exists, that no
// path of somebody's machine is committed, and that what CONTRIBUTING.md
// promises for a new source, check, threshold or page is really all there is
// to do. It has no code of its own.
package rules
