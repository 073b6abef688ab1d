package ship

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/plimsoll/plimsoll/internal/need"
)

// TestThroughAProxy: the connection to the collector goes through a real proxy
// that is asked to CONNECT with the name and password of its URL, and inside it
// both sides prove who they are as without it.
func TestThroughAProxy(t *testing.T) {
	c := newCollector(t, nil)
	var asked atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect || r.Header.Get("Proxy-Authorization") != "Basic dXNlcjpwYXNz" {
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		asked.Add(1)
		far, err := net.Dial("tcp", r.Host)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer func() { _ = far.Close() }()
		near, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = near.Close() }()
		_, _ = io.WriteString(near, "HTTP/1.1 200 OK\r\n\r\n")
		go func(from *bufio.Reader) { _, _ = io.Copy(far, from); _ = far.Close() }(buffered.Reader)
		_, _ = io.Copy(near, far)
	}))
	t.Cleanup(proxy.Close)
	through, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	through.User = url.UserPassword("user", "pass")
	r := newRig(t)
	r.fill(t, "first", "second")
	stop := r.run(t, func() (Endpoint, error) {
		to := c.endpoint()
		to.Proxy = through
		return to, nil
	})
	c.await(t, 2)
	stop(2)
	if n := asked.Load(); n != 1 {
		t.Errorf("the proxy was asked %d times, want one connection that is kept", n)
	}
}

// TestOverIPv6: an address in brackets, over the real protocol.
func TestOverIPv6(t *testing.T) {
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		need.Missing(t, "no IPv6 on loopback: "+err.Error())
	}
	c := &collector{took: make(chan string, 10)}
	c.Server = httptest.NewUnstartedServer(c)
	_ = c.Listener.Close()
	c.Listener = l
	c.StartTLS()
	t.Cleanup(c.Close)
	r := newRig(t)
	r.fill(t, "first")
	stop := r.run(t, func() (Endpoint, error) { return c.endpoint(), nil })
	c.await(t, 1)
	stop(1)
}
