package source

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// The messages of sock_diag(7), in bytes.
const (
	netlinkHeader  = 16
	sockDiagByType = 20 // SOCK_DIAG_BY_FAMILY
	diagRequest    = 56 // struct inet_diag_req_v2
	diagDeadline   = 2  // seconds
)

// dumpStates asks the kernel for the TCP sockets of this process's network
// namespace. It walks over them in a tenth of the time /proc/net/tcp takes.
func dumpStates(counts []int) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_INET_DIAG)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer func() { _ = unix.Close(fd) }() // only read from
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: diagDeadline}); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	buf := make([]byte, 32<<10)
	for _, family := range [...]byte{unix.AF_INET, unix.AF_INET6} {
		request := make([]byte, netlinkHeader+diagRequest)
		binary.NativeEndian.PutUint32(request, uint32(len(request)))
		binary.NativeEndian.PutUint16(request[4:], sockDiagByType)
		binary.NativeEndian.PutUint16(request[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
		request[netlinkHeader], request[netlinkHeader+1] = family, unix.IPPROTO_TCP
		binary.NativeEndian.PutUint32(request[netlinkHeader+4:], ^uint32(0)) // all states
		if err := unix.Sendto(fd, request, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
			return os.NewSyscallError("send", err)
		}
		for done := false; !done; {
			n, err := again(func() (int, error) { n, _, err := unix.Recvfrom(fd, buf, 0); return n, err })
			if err != nil {
				return os.NewSyscallError("receive", err)
			}
			if done, err = readDiag(buf[:n], counts); err != nil {
				return err
			}
		}
	}
	return nil
}

// readDiag counts the sockets of one answer; done is true with the last one.
func readDiag(text []byte, counts []int) (done bool, err error) {
	for len(text) >= netlinkHeader {
		size := int(binary.NativeEndian.Uint32(text))
		if size < netlinkHeader || size > len(text) {
			return false, errors.New("sock_diag: a message is cut off")
		}
		switch binary.NativeEndian.Uint16(text[4:]) {
		case unix.NLMSG_DONE:
			return true, nil
		case unix.NLMSG_ERROR:
			if size >= netlinkHeader+4 {
				if errno := -int32(binary.NativeEndian.Uint32(text[netlinkHeader:])); errno > 0 {
					return false, fmt.Errorf("sock_diag: %w", unix.Errno(errno))
				}
			}
			return true, nil
		case sockDiagByType:
			// struct inet_diag_msg begins with the family and the state.
			if size < netlinkHeader+2 {
				return false, errors.New("sock_diag: a socket is cut off")
			}
			if state := int(text[netlinkHeader+1]); state >= 1 && state <= len(counts) {
				counts[state-1]++
			}
		}
		text = text[min((size+3)&^3, len(text)):]
	}
	return false, nil
}
