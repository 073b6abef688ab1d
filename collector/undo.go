package collector

import (
	"errors"
	"fmt"
)

// undo closes what was opened, last first. A failed start and a normal stop
// take the same way.
type undo struct{ steps []undoStep }

type undoStep struct {
	name string
	do   func() error
}

func (u *undo) add(name string, do func() error) {
	u.steps = append(u.steps, undoStep{name, do})
}

func (u *undo) all() error {
	var errs []error
	for i := len(u.steps) - 1; i >= 0; i-- {
		if err := u.steps[i].do(); err != nil {
			errs = append(errs, fmt.Errorf("close %s: %w", u.steps[i].name, err))
		}
	}
	u.steps = nil
	return errors.Join(errs...)
}
