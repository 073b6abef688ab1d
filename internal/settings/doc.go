// Package settings reads strict YAML for the agent's and the collector's
// configuration and for the catalogue.
//
//	text ─▶ yaml nodes ─▶ Decode ─▶ a struct of the caller
//	                        │
//	                        └▶ Faults: every unknown key, duplicate, wrong type,
//	                           key not acted on yet; file, line, path, remedy
//
// Nothing is ignored: a key nobody reads is a fault with its nearest known
// neighbour, and all faults are found in one pass. The Document that Decode
// returns knows the line of every path, so what the caller checks afterwards
// is reported in the same form.
package settings
