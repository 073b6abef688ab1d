//go:build !linux

package check

import (
	"context"
	"errors"
)

// find has no /proc to look into here.
func (p *process) find(context.Context) (found, error) {
	return found{}, errors.New("this system has no /proc; test a port of the program instead")
}
