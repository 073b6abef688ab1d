package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// beatTimeout bounds how long a job waits for its beat to be heard.
const beatTimeout = 5 * time.Second

// beat runs a job and says that it ran, or says it alone. The status is the
// job's own whether the beat was heard or not: watching a job never makes it fail.
func (c Command) beat(ctx context.Context, args []string) int {
	args, job := cutJob(args)
	name := ""
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		name, args = args[0], args[1:]
	}
	f := c.flags("beat NAME [FLAGS] [-- COMMAND]", "Tells the running agent that the job NAME ran; with a COMMAND runs it first and tells its status and\nhow long it took. The exit status is the command's; without one 1 when nobody heard.\nAny program may say it: POST http://127.0.0.1:1878/beat/NAME, with ?status=N&took=12s where it knows.")
	path := f.String("config", DefaultConfig, "configuration `file` of the agent; the default one need not exist")
	if status, done := c.parse(f, args); done {
		return status
	}
	if name == "" {
		fmt.Fprintln(c.Stderr, "plimsoll-agent beat: the name of the heartbeat is missing, as in: plimsoll-agent beat nightly-backup -- /usr/local/bin/backup")
		return exitBad
	}
	cfg, ok := c.config(f, *path, "")
	if !ok {
		return exitBad
	}
	status, took := 0, time.Duration(0)
	if len(job) > 0 {
		begin := time.Now()
		var err error
		if status, err = c.runJob(ctx, job); err != nil {
			fmt.Fprintf(c.Stderr, "plimsoll-agent beat: %s was not run: %v\n", job[0], err)
		}
		took = time.Since(begin)
	}
	if err := sendBeat(context.WithoutCancel(ctx), cfg.Listen, name, status, took); err != nil {
		fmt.Fprintf(c.Stderr, "plimsoll-agent beat: %s was not heard: %v\n", name, err)
		if len(job) == 0 {
			return exitFailed
		}
	}
	return status
}

// cutJob parts the arguments at the first "--".
func cutJob(args []string) (own, job []string) {
	for i, a := range args {
		if a == "--" {
			return args[:i], args[i+1:]
		}
	}
	return args, nil
}

// Statuses a shell gives what it cannot run.
const (
	notExecutable = 126
	notFound      = 127
	bySignal      = 128 // and the signal
)

// runJob runs the job with this program's own input and output and gives its
// status as a shell does. Told to stop, it tells the job.
func (c Command) runJob(ctx context.Context, job []string) (int, error) {
	cmd := exec.CommandContext(ctx, job[0], job[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, c.Stdout, c.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	err := cmd.Run()
	var ended *exec.ExitError
	switch {
	case err == nil:
		return 0, nil
	case errors.As(err, &ended) && ended.ExitCode() >= 0:
		return ended.ExitCode(), nil
	case errors.As(err, &ended):
		if status, ok := ended.Sys().(syscall.WaitStatus); ok {
			return bySignal + int(status.Signal()), nil
		}
		return bySignal, nil
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, os.ErrNotExist):
		return notFound, err
	}
	return notExecutable, err
}

// sendBeat tells the running agent.
func sendBeat(ctx context.Context, listen, name string, status int, took time.Duration) error {
	if listen == "" || listen == "off" {
		return errors.New("listen of the agent's configuration is off; heartbeats are heard there")
	}
	q := url.Values{"status": {strconv.Itoa(status)}}
	if took > 0 {
		q.Set("took", took.Round(time.Millisecond).String())
	}
	ctx, cancel := context.WithTimeout(ctx, beatTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+listen+beatPath+url.PathEscape(name)+"?"+q.Encode(), nil)
	if err != nil {
		return err
	}
	client := http.Client{Transport: &http.Transport{}} // no proxy: it is this host
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("%w; is the agent running, with this configuration?", err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxBeatBody))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusNoContent {
		return fmt.Errorf("the agent answered %s: %s", resp.Status, strings.TrimSpace(string(text)))
	}
	return nil
}
