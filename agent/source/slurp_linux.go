package source

import (
	"errors"

	"golang.org/x/sys/unix"
)

// errEnded tells that the process a file belongs to has ended.
var errEnded = unix.ESRCH

// slurp reads a small file that is opened once only into buf and returns how
// much there was; what does not fit is cut off. It costs half of what
// os.ReadFile does, which counts with one file for each process.
func slurp(path string, buf []byte) (int, error) {
	fd, err := again(func() (int, error) { return unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0) })
	if err != nil {
		return 0, err
	}
	defer func() { _ = unix.Close(fd) }() // only read from
	return again(func() (int, error) { return unix.Read(fd, buf) })
}

// again repeats what a signal interrupted.
func again(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}
