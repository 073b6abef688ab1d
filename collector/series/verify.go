package series

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"
)

// verifyEvery is how often each byte of a block is compared with its seal.
const verifyEvery = 7 * 24 * time.Hour

// errDamaged ends a writer while a damaged block is moved aside.
var errDamaged = errors.New("a block is damaged")

// Suspect asks for all blocks to be compared with their seals now: a query
// failed on what it read.
func (s *Store) Suspect() {
	select {
	case s.suspect <- struct{}{}:
	default: // it is asked for already
	}
}

// verifyLoop looks through the blocks once a week and when one is suspected.
func (s *Store) verifyLoop(ctx context.Context) error {
	ticker := time.NewTicker(s.opts.CheckEvery)
	defer ticker.Stop()
	for {
		all := false
		select {
		case <-ctx.Done():
			return nil
		case <-s.suspect:
			all = true
		case <-ticker.C:
		}
		if s.verify(ctx, all) {
			return errDamaged
		}
	}
}

// verify compares blocks with their seals: all, or those it did not look at
// for verifyEvery. The time of the last look is that of the seal's file. It
// tells whether one is damaged, and takes a tenth of the time at most.
func (s *Store) verify(ctx context.Context, all bool) (damaged bool) {
	names, err := blockNames(s.opts.Dir)
	if err != nil {
		return false
	}
	for _, name := range names {
		dir := filepath.Join(s.opts.Dir, name)
		info, err := os.Stat(filepath.Join(dir, sealName))
		if err != nil || !all && s.opts.Now().Sub(info.ModTime()) < verifyEvery {
			continue
		}
		began := time.Now()
		err = checkBlock(dir, true)
		if _, gone := os.Stat(dir); gone != nil {
			continue // a merge of blocks has replaced it
		}
		if err != nil {
			s.rotten(name, err)
			damaged = true
			continue
		}
		now := s.opts.Now()
		_ = os.Chtimes(filepath.Join(dir, sealName), now, now)
		if !all {
			pause := time.NewTimer(9 * time.Since(began))
			select {
			case <-pause.C:
			case <-ctx.Done():
				pause.Stop()
				return false
			}
		}
	}
	return damaged
}

// rotten remembers what is wrong with a block until it is moved aside.
func (s *Store) rotten(name string, err error) {
	s.positions.Lock()
	defer s.positions.Unlock()
	if s.found == nil {
		s.found = map[string]error{}
	}
	s.found[name] = err
}

// sealAll seals the blocks that a compaction made.
func (s *Store) sealAll() {
	names, err := blockNames(s.opts.Dir)
	if err != nil {
		return
	}
	for _, name := range names {
		dir := filepath.Join(s.opts.Dir, name)
		if _, err := os.Stat(filepath.Join(dir, sealName)); err == nil {
			continue
		}
		if err := sealBlock(dir); err != nil {
			if _, gone := os.Stat(dir); gone == nil {
				s.opts.Log.Warn("a block could not be sealed; the next start reads it through", "block", name, "err", err)
			}
		}
	}
}

// reopen moves damaged blocks aside while the collector runs, and begins to
// read the journal again for what it still has of them.
func (s *Store) reopen(context.Context) error {
	s.mu.Lock() // waits for the queriers
	defer s.mu.Unlock()
	if err := s.closeDB(); err != nil {
		s.opts.Log.Error("close the store of a damaged block", "err", err)
	}
	if err := s.prepare(); err != nil {
		return err
	}
	s.ready.Store(false)
	s.late.Store(0)
	s.positions.Lock()
	s.restart()
	s.positions.Unlock()
	return s.openDB()
}
