// Package simulate plays a fleet over months: hosts that boot, crash, sleep
// and are cut off, agents that stop, clocks that are set, a collector that is
// away. It is pure and seeded: the same plan gives the same bytes, and time is
// an argument.
//
//	Plan ─┬─▶ Deliveries: records as agents would send them, in the order of receipt
//	      └─▶ Truth: what each host and component really was, and why
//
// Tests give the first to the real collector and compare what it says with the
// second; quickstart --demo fills its journal with it.
package simulate
