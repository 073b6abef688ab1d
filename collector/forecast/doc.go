// Package forecast says what availability to expect, from what a service did:
// a range, never a promise. It is pure arithmetic with a fixed seed, so that
// the same history gives the same forecast.
//
//	outages ~ Poisson(rate x K), rate ~ Gamma(n + 1/2, K)     Jeffreys prior
//	downtime of each ~ drawn from the history; with fewer than 8 log-normal,
//	                   shrunk to the fleet
//
// The rest of a running month is forecast the same way, added to what has
// happened: that is P(breach).
package forecast
