// Package capacity judges whether a resource still fits: used against limit,
// by thresholds that must stand for a while and must be left by a margin.
// It is pure: the instant is an argument, the values are somebody else's query.
//
//	utilisation
//	critical ─ ─ ─ ─ ─ ─ ─ ─ ─ ╭──── for ───▶ Escalated
//	warning  ─ ─ ─ ─╭─ for ─▶ Breached  ╲
//	                ╱                    ╲  between clear and warning: nothing changes
//	clear    ─ ─ ─ ╱─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ╲─── for ───▶ Recovered
//
// No value is neither breach nor recovery: Judge is simply not called. Where it
// lasts although the host delivers, Miss finds a breach no longer measured.
package capacity
