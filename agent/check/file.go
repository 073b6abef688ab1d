package check

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// future is how far ahead of the clock a file may be dated: file servers have
// clocks of their own.
const future = time.Hour

// dated tests whether a file is there, young and large enough: a backup that
// was made. Of several that match a pattern the youngest counts.
type dated struct {
	path  string // seen from the root
	name  string // as it is configured
	want  Fresh
	stuck chan struct{} // holds a token while a look has not come back
}

func newFile(spec Spec) (prober, error) {
	if !filepath.IsAbs(spec.File) && !strings.HasPrefix(spec.File, "/") {
		return nil, fmt.Errorf("%q is not an absolute path", spec.File)
	}
	if strings.ContainsAny(filepath.Dir(spec.File), "*?[") {
		return nil, fmt.Errorf("%q has a pattern in its directory; only the last element may be one", spec.File)
	}
	if _, err := filepath.Match(filepath.Base(spec.File), ""); err != nil {
		return nil, fmt.Errorf("%q is not a pattern: a [ is not closed", spec.File)
	}
	path := spec.File
	if root := spec.Roots.RootFS; root != "" && root != "/" {
		path = filepath.Join(root, path)
	}
	return &dated{path: path, name: spec.File, want: spec.Fresh, stuck: make(chan struct{}, 1)}, nil
}

// probe looks once. A file system that does not answer (a file server that
// went away) holds back that look alone, and no second one is begun meanwhile.
func (d *dated) probe(ctx context.Context) Result {
	select {
	case d.stuck <- struct{}{}:
	default:
		return d.noAnswer()
	}
	looked := make(chan Result, 1)
	go func() { // ends with the look, before which no other is begun
		r := d.look(ctx, time.Now())
		<-d.stuck // first: whoever has the result may look again
		looked <- r
	}()
	select {
	case r := <-looked:
		return r
	case <-ctx.Done():
		return d.noAnswer()
	}
}

func (d *dated) noAnswer() Result {
	return unknown("the file system of %s does not answer; look at its mount", d.name)
}

func (d *dated) look(ctx context.Context, now time.Time) Result {
	info, err := d.youngest(ctx)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return down("%s does not exist", d.name)
	case errors.Is(err, fs.ErrPermission):
		return unknown("%s cannot be looked at: permission denied; let the agent's user search its directory", d.name)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return d.noAnswer()
	case err != nil:
		return unknown("%s cannot be looked at: %v", d.name, err)
	}
	return d.judge(info, now)
}

// judge compares what is known of the file with what it should be.
func (d *dated) judge(info fs.FileInfo, now time.Time) Result {
	age := now.Sub(info.ModTime())
	switch {
	case d.want.MaxAge > 0 && age > d.want.MaxAge:
		return down("%s was last written %s ago, more than %s", info.Name(), age.Round(time.Second), d.want.MaxAge)
	case info.Size() < d.want.MinSize:
		return down("%s has %d bytes, fewer than %d", info.Name(), info.Size(), d.want.MinSize)
	case age < -future:
		return degraded("%s is dated %s in the future; set the clock of this host or of its file server", info.Name(), (-age).Round(time.Second))
	}
	return Result{State: Up}
}

// youngest finds the file, or the one last written of those that match.
func (d *dated) youngest(ctx context.Context) (fs.FileInfo, error) {
	base := filepath.Base(d.path)
	if !strings.ContainsAny(base, "*?[") {
		return os.Stat(d.path)
	}
	dir, err := os.Open(filepath.Dir(d.path))
	if err != nil {
		return nil, err
	}
	defer func() { _ = dir.Close() }() // only read from
	var young fs.FileInfo
	for {
		names, readErr := dir.Readdirnames(512)
		for _, name := range names {
			if ok, _ := filepath.Match(base, name); !ok { // the pattern was checked
				continue
			}
			info, err := os.Stat(filepath.Join(filepath.Dir(d.path), name))
			if errors.Is(err, fs.ErrNotExist) {
				continue // removed meanwhile
			}
			if err != nil {
				return nil, err
			}
			if young == nil || info.ModTime().After(young.ModTime()) {
				young = info
			}
		}
		switch err := errors.Join(readErr, ctx.Err()); {
		case errors.Is(readErr, io.EOF) && young == nil:
			return nil, fs.ErrNotExist
		case errors.Is(readErr, io.EOF):
			return young, nil
		case err != nil:
			return nil, err
		}
	}
}
