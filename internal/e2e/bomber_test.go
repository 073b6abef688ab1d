package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plimsoll/plimsoll/internal/identity"
	"github.com/plimsoll/plimsoll/internal/need"
	"github.com/plimsoll/plimsoll/internal/wire"
)

// bomberEnv makes this test program a bomber: what it is to do, as JSON of
// bomber.
const bomberEnv = "PLIMSOLL_E2E_BOMBER"

// bomber is whoever sends bombs. It is a process of its own, and one that gives
// way: making, encrypting and sending a hundred megabytes costs as much as to
// refuse them, and the bombs of the field come from another machine. What the
// collector spends on them is not lessened by that.
type bomber struct {
	URL         string
	Identity    string // its folder: it is an enrolled host
	Connections int
	For         time.Duration // at least; every kind is sent as both versions
}

// bombed is what a bomber tells of its work on standard output.
type bombed struct {
	Kinds    int
	Statuses map[int]int // 0: the answer came before the body was read
	Faults   []string    // answers that blame the collector
}

// becomeBomber is what TestMain calls when the environment says so.
func becomeBomber(text string) error {
	var b bomber
	if err := json.Unmarshal([]byte(text), &b); err != nil {
		return err
	}
	id, err := identity.Load(b.Identity)
	if err != nil {
		return err
	}
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{TLSClientConfig: id.ClientTLS()}} // most bombs need a handshake
	return json.NewEncoder(os.Stdout).Encode(b.send(&loader{client: client, url: b.URL}))
}

func (b *bomber) send(from *loader) bombed {
	all := bombs()
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	did, begin := bombed{Kinds: len(all), Statuses: map[int]int{}}, time.Now()
	var mu sync.Mutex
	var senders sync.WaitGroup
	for n := range b.Connections {
		senders.Go(func() {
			for i := n; time.Since(begin) < b.For || i < 2*len(names); i += b.Connections {
				name := names[i%len(names)]
				status, text, err := from.post([]string{wire.ContentType1, wire.ContentType2}[i/len(names)%2], bytes.NewReader(all[name]))
				if err != nil {
					status = 0
				}
				mu.Lock()
				did.Statuses[status]++
				if status == http.StatusInternalServerError || status == http.StatusBadGateway {
					did.Faults = append(did.Faults, fmt.Sprintf("%s: %d %s", name, status, text))
				}
				mu.Unlock()
			}
		})
	}
	senders.Wait()
	return did
}

// runBomber enrols a host of that name and lets it bomb the collector from
// another process until it has ended.
func runBomber(t *testing.T, a *abused, name string) bombed {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	if _, err := identity.Enrol(context.Background(), identity.Request{Token: a.token(), Collector: a.agents, Hostname: name, Dir: dir}); err != nil {
		t.Fatalf("enrol %s: %v", name, err)
	}
	text, err := json.Marshal(bomber{URL: "https://" + a.agents + wire.WritePath, Identity: dir, Connections: 8, For: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(need.Program(t, "nice", "coreutils"), "-n", "19", os.Args[0])
	cmd.Env = append(os.Environ(), bomberEnv+"="+string(text))
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	var did bombed
	if err := errors.Join(cmd.Run(), json.NewDecoder(strings.NewReader(out.String())).Decode(&did)); err != nil {
		t.Fatalf("the bomber: %v\n%s", err, said.String())
	}
	return did
}
