package wire

// Note is the second kind of record: a small statement of an agent that is
// not a sample. Exactly one of its parts is set. It travels as JSON.
type Note struct {
	At     int64        `json:"at"` // Unix milliseconds
	Start  *StartNote   `json:"start,omitempty"`
	Change *CheckChange `json:"change,omitempty"`
	Loss   *LossNote    `json:"loss,omitempty"`
}

// StartNote is sent once per run: how the last run ended and what is known of the boot.
type StartNote struct {
	Version   string `json:"version"`
	LastRun   string `json:"last_run,omitempty"`
	LastBoot  string `json:"last_boot,omitempty"`
	LastAlive int64  `json:"last_alive,omitempty"` // Unix ms of the last alive stamp before this run
	CleanStop bool   `json:"clean_stop"`           // the last run left its marker
	Reason    string `json:"reason,omitempty"`     // why it stopped, where known
	BootedAt  int64  `json:"booted_at,omitempty"`  // Unix ms
}

// ReasonShutdown is StartNote.Reason where the last run was stopped because the
// whole host was being shut down or restarted.
const ReasonShutdown = "host shutdown"

// CheckChange tells that a check's state changed, with its reason in plain words.
type CheckChange struct {
	Component string `json:"component"`
	Check     string `json:"check"`
	From      string `json:"from"` // up, degraded, down, unknown
	To        string `json:"to"`
	Reason    string `json:"reason"` // at most MaxReason bytes
}

// MaxReason bounds CheckChange.Reason, in bytes.
const MaxReason = 500

// MaxNote bounds an encoded note, in bytes.
const MaxNote = 16 << 10

// LossNote tells which records of the agent's buffer were lost, and why.
//
// A loss may be told more than once: the note that told of it can itself be
// dropped after it was delivered and before the answer came. Records that had a
// number are known by it; those the buffer never took are counted by run.
type LossNote struct {
	Records int64  `json:"records"`
	FromSeq uint64 `json:"from_seq"` // 0 = they never got a number
	ToSeq   uint64 `json:"to_seq"`
	// The MissedFrom-th to MissedTo-th record, from 1, that the buffer did not
	// take in the run MissedRun. Empty: which ones is not known.
	MissedRun  string `json:"missed_run,omitempty"`
	MissedFrom uint64 `json:"missed_from,omitempty"`
	MissedTo   uint64 `json:"missed_to,omitempty"`
	FromAt     int64  `json:"from_at"` // Unix ms; 0 = not known
	ToAt       int64  `json:"to_at"`
	Reason     string `json:"reason"`
}
