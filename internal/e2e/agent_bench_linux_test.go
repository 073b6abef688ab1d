package e2e

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sys/unix"

	"github.com/plimsoll/plimsoll/internal/need"
)

// The pace of TestAgentBeside: that of an installation.
const (
	paceInterval = 15 * time.Second
	paceWarmup   = 4 // intervals before the measurement: start, first handshakes, first collections of garbage
	paceRounds   = 8 // intervals measured
)

// paced is one program that is measured while it does its work each interval.
type paced struct {
	name     string
	pid      int
	cpu      time.Duration // at the start of the measurement, children included
	own      float64       // ms of CPU an interval, of the program itself
	children float64       // ms of CPU an interval, of what it started
	pss      int64         // bytes
	metrics  site          // the agents' own figures
	fsyncs   [2]float64    // flushes and collections, at the start
}

// TestAgentBeside measures the agent at the pace of an installation: what a
// collection costs by itself, with twenty checks of the usual mix, and with
// twenty of the dearest kind, beside Debian's node_exporter scraped at the
// same pace in the same minutes.
func TestAgentBeside(t *testing.T) {
	need.Bench(t)
	exporter := need.Program(t, "prometheus-node-exporter", "prometheus-node-exporter")
	listen, agents := freeAddr(t), freeAddr(t)
	start(t, "plimsoll-collector", "run", "--data", t.TempDir(), "--listen", listen, "--listen-agents", agents)
	s := site{t, "http://" + listen}
	waitFor(t, "the collector healthy", 15*time.Second, func() bool { status, _ := s.get("/-/healthy"); return status == http.StatusOK })
	targets := startTargets(t)
	all := []*paced{
		pacedAgent(t, s, agents, "agent, no checks", nil),
		pacedAgent(t, s, agents, "agent, 20 checks of the mix", targets.mix()),
		pacedAgent(t, s, agents, "agent, 20 https checks", repeated(20, targets.https)),
		pacedExporter(t, exporter),
	}
	<-time.After(paceWarmup * paceInterval)
	for _, p := range all {
		p.begin(t)
	}
	<-time.After(paceRounds * paceInterval)
	for _, p := range all {
		p.end(t)
	}
	for _, p := range all {
		t.Logf("%-28s %5.2f ms CPU an interval, %5.2f of its children  Pss %4.1f MiB", p.name, p.own, p.children, float64(p.pss)/(1<<20))
		if p.metrics.base != "" {
			m := p.metrics.metrics()
			t.Logf("%-28s %3.0f series, %.2f flushes a collection", "", m["plimsoll_agent_collection_series"],
				(m["plimsoll_agent_buffer_fsyncs_total"]-p.fsyncs[0])/(m["plimsoll_agent_collections_total"]-p.fsyncs[1]))
		}
	}
	info, err := os.Stat(filepath.Join(programs, "plimsoll-agent"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("plimsoll-agent is %.1f MB; goals: 3 ms, 16 MiB, 12 MB, one flush", float64(info.Size())/1e6)
	if info.Size() > 12e6 {
		t.Errorf("the program is %d bytes, want at most 12 MB", info.Size())
	}
	// A busy machine makes both dearer alike: 3 ms are for a person to compare.
	if ours, theirs := all[0].own, all[3].own; ours > theirs/2 {
		t.Errorf("%s: %.2f ms CPU a collection, node_exporter %.2f, want at most half", all[0].name, ours, theirs)
	}
	for _, p := range all[:3] {
		if p.pss > 16<<20 {
			t.Errorf("%s: Pss %d bytes, want at most 16 MiB", p.name, p.pss)
		}
	}
	t.Run("fsync", func(t *testing.T) { traceFlushes(t, all[0].pid) })
}

// traceFlushes counts what the kernel sees of an agent's flushes, over four intervals.
func traceFlushes(t *testing.T, pid int) {
	program := need.Program(t, "strace", "strace")
	out := filepath.Join(t.TempDir(), "strace")
	cmd := exec.Command(program, "-f", "-q", "-e", "trace=fsync,fdatasync,sync_file_range", "-o", out, "-p", strconv.Itoa(pid))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-time.After(4 * paceInterval)
	_ = cmd.Process.Signal(syscall.SIGINT)
	_ = cmd.Wait() // it ends by the signal
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	flushes := bytes.Count(text, []byte("sync(")) + bytes.Count(text, []byte("sync_file_range("))
	t.Logf("%d flushes in 4 intervals, counted by strace", flushes)
	if flushes < 3 || flushes > 5 {
		t.Errorf("%d flushes in 4 intervals, want one each:\n%s", flushes, text)
	}
}

// pacedAgent enrols and starts an agent with these checks, written as YAML.
func pacedAgent(t *testing.T, s site, agents, name string, checks []string) *paced {
	t.Helper()
	dir := t.TempDir()
	if out, errs, status := runOnce(t, "plimsoll-agent", "enrol", "--collector", agents, "--token", s.token(), "--data", dir); status != 0 {
		t.Fatalf("enrol: %s %s", out, errs)
	}
	listen := freeAddr(t)
	text := fmt.Sprintf("interval: %s\nlisten: %s\ndata: %s\n", paceInterval, listen, dir)
	for i, c := range checks {
		if i == 0 {
			text += "checks:\n"
		}
		text += fmt.Sprintf("  - {component: c%d, %s}\n", i, c)
	}
	config := filepath.Join(dir, "agent.yaml")
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	out, errs, status := runOnce(t, "plimsoll-agent", "check", "--config", config)
	t.Logf("%s: check ends with %d\n%s%s", name, status, out, errs)
	p := start(t, "plimsoll-agent", "run", "--config", config)
	return &paced{name: name, pid: p.cmd.Process.Pid, metrics: site{t, "http://" + listen}}
}

// pacedExporter starts node_exporter and scrapes it each interval.
func pacedExporter(t *testing.T, program string) *paced {
	t.Helper()
	addr := freeAddr(t)
	p := launch(t, exec.Command(program, "--web.listen-address="+addr))
	ticker, ended := time.NewTicker(paceInterval), make(chan struct{})
	scraping := make(chan struct{})
	go func() {
		defer close(scraping)
		for {
			select {
			case <-ended:
				return
			case <-ticker.C:
			}
			if resp, err := http.Get("http://" + addr + "/metrics"); err == nil {
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		}
	}()
	t.Cleanup(func() { ticker.Stop(); close(ended); <-scraping })
	return &paced{name: "node_exporter (Debian)", pid: p.cmd.Process.Pid}
}

func (p *paced) begin(t *testing.T) {
	t.Helper()
	p.cpu, p.children = cpuOf(t, p.pid)
	if p.metrics.base != "" {
		m := p.metrics.metrics()
		p.fsyncs = [2]float64{m["plimsoll_agent_buffer_fsyncs_total"], m["plimsoll_agent_collections_total"]}
	}
}

func (p *paced) end(t *testing.T) {
	t.Helper()
	own, children := cpuOf(t, p.pid)
	p.own = (own - p.cpu).Seconds() * 1000 / paceRounds
	p.children = (children - p.children) / paceRounds
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", p.pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "Pss:"); ok {
			kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			p.pss = kb << 10
		}
	}
}

// cpuOf is what a process has used so far by its own clock, and what the
// children it waited for have, in ms (10 ms steps).
func cpuOf(t *testing.T, pid int) (own time.Duration, children float64) {
	t.Helper()
	var ts unix.Timespec
	// The clock of another process, clock_getcpuclockid(3): ~pid above three bits, 2 = scheduler.
	if err := unix.ClockGettime(int32(^pid<<3|2), &ts); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	for _, f := range fields[13:15] { // cutime, cstime
		v, err := strconv.ParseFloat(f, 64)
		if err != nil {
			t.Fatal(err)
		}
		children += v * 10
	}
	return time.Duration(ts.Nano()), children
}

// targets are what the checks of TestAgentBeside test, as YAML.
type targets struct{ https, http, tcp, tls, dns string }

func startTargets(t *testing.T) targets {
	t.Helper()
	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	plain := httptest.NewServer(ok)
	t.Cleanup(plain.Close)
	pair, ca := benchCertificate(t)
	secure := httptest.NewUnstartedServer(ok)
	secure.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	secure.StartTLS()
	t.Cleanup(secure.Close)
	return targets{
		https: fmt.Sprintf("http: %q, ca: %q", secure.URL, ca),
		http:  fmt.Sprintf("http: %q", plain.URL),
		tcp:   fmt.Sprintf("tcp: %q", strings.TrimPrefix(plain.URL, "http://")),
		tls:   fmt.Sprintf("tls: %q, ca: %q", strings.TrimPrefix(secure.URL, "https://"), ca),
		dns:   fmt.Sprintf("dns: shop.example, server: %q", nameServer(t)),
	}
}

// mix is what a host tests: mostly pages and ports.
func (g targets) mix() (all []string) {
	all = append(all, repeated(6, g.https)...)
	all = append(all, repeated(2, g.http)...)
	all = append(all, repeated(4, g.tcp)...)
	all = append(all, repeated(2, g.tls)...)
	all = append(all, repeated(2, g.dns)...)
	return append(all, "icmp: 127.0.0.1", "process: plimsoll-agent", "file: /etc/hostname", "script: [/bin/true]")
}

func repeated(n int, check string) (all []string) {
	for range n {
		all = append(all, check)
	}
	return all
}

// benchCertificate makes a certificate for 127.0.0.1 under an authority and
// an intermediate one, as servers have them, and the file of the authority.
func benchCertificate(t *testing.T) (pair tls.Certificate, ca string) {
	t.Helper()
	var parent *x509.Certificate
	var signer *ecdsa.PrivateKey
	for i, name := range []string{"authority", "intermediate", "server"} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		template := &x509.Certificate{SerialNumber: big.NewInt(int64(i + 1)), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
			NotAfter: time.Now().AddDate(1, 0, 0), IsCA: i < 2, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
		if i == 0 {
			parent, signer = template, key
		}
		if i == 2 {
			template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
		}
		der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
		if err != nil {
			t.Fatal(err)
		}
		if parent, err = x509.ParseCertificate(der); err != nil {
			t.Fatal(err)
		}
		signer = key
		if i == 0 {
			ca = filepath.Join(t.TempDir(), "ca.pem")
			if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		pair.Certificate = append([][]byte{der}, pair.Certificate...)
		pair.PrivateKey = key
	}
	return pair, ca
}

// nameServer answers each question with one address.
func nameServer(t *testing.T) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		buf := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			m.Response, m.Additionals = true, nil
			m.Answers = []dnsmessage.Resource{{
				Header: dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET, TTL: 60},
				Body:   &dnsmessage.AResource{A: [4]byte{192, 0, 2, 1}},
			}}
			if answer, err := m.Pack(); err == nil {
				_, _ = conn.WriteTo(answer, from)
			}
		}
	}()
	t.Cleanup(func() { _ = conn.Close(); <-served })
	return conn.LocalAddr().String()
}
