// Package e2e tests the real thing: both programs built and started as a
// user starts them, on real disks and ports of loopback, killed, stopped,
// filled up and looked at through a browser, promtool and the pages. It has
// no code of its own.
package e2e
