package ship

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// maxQuarantine bounds each of the two quarantine files, in bytes.
const maxQuarantine = 4 << 20

// refused is a record the collector will never accept, one line of JSON.
type refused struct {
	At     int64  `json:"at"` // Unix ms, when it was refused
	Seq    uint64 `json:"seq"`
	Status int    `json:"status"` // of the answer; 0 = never sent
	Reason string `json:"reason"`
	Record []byte `json:"record"` // envelope and body, base64
}

// quarantine appends refused records to a file, so that a person can see what
// it was. When the file is full it becomes the old one, and the old one goes.
type quarantine struct{ path string }

func newQuarantine(dir string) quarantine {
	return quarantine{path: filepath.Join(dir, "refused.jsonl")}
}

func (q quarantine) add(r refused) (err error) {
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("describe refused record: %w", err)
	}
	info, err := os.Stat(q.path)
	if err == nil && info.Size()+int64(len(text)) > maxQuarantine {
		if err := os.Rename(q.path, q.path+".old"); err != nil {
			return fmt.Errorf("make room for refused records: %w", err)
		}
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look at refused records: %w", err)
	}
	f, err := os.OpenFile(q.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open file of refused records: %w", err)
	}
	defer func() {
		if closeErr := f.Close(); err == nil && closeErr != nil {
			err = fmt.Errorf("close file of refused records: %w", closeErr)
		}
	}()
	if _, err := f.Write(append(text, '\n')); err != nil {
		return fmt.Errorf("write refused record: %w", err)
	}
	return nil
}
