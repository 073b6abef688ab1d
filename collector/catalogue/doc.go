// Package catalogue reads the catalogue: the YAML file in which people write
// down what is watched, what was agreed about it and what changes the count.
//
//	catalogue.yaml ─▶ settings.Decode ─▶ the file's own form (file.go)
//	                                      │  check: names, rings, versions,
//	                                      │  bounds, kinds, PromQL
//	                                      ▼
//	                     availability.Catalogue + resources, or every fault
//
// It is strict: an unknown key, a name nobody declared, a share of "99.9" or a
// ring of services is a fault with its line and a remedy, and all faults are
// named at once. A catalogue with a fault is no catalogue.
package catalogue
