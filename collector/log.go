package collector

import (
	"io"
	"log/slog"
)

// NewLog is the log of both programs: one line for each change of state, text
// that a person and a machine can read.
func NewLog(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelInfo}))
}
