package catalogue

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plimsoll/plimsoll/internal/settings"
)

// Bounds of what is read as one catalogue.
const (
	maxFiles = 1000
	maxBytes = 16 << 20
)

// Read reads the texts of the catalogue called name, in the order in which
// ParseFiles joins them: the file itself, and the files of the folder beside it
// that ends in .d (catalogue.d beside catalogue.yaml), or of name itself where
// that is a folder; of a folder all *.yaml, by name. When there is nothing to
// read the error wraps fs.ErrNotExist; a folder with a file that somebody may
// believe to be read (*.yml) is an error too.
func Read(name string) ([]settings.Text, error) {
	files, err := filesOf(name)
	if err != nil {
		return nil, err
	}
	if len(files) > maxFiles {
		return nil, fmt.Errorf("%s is %d files; a catalogue is at most %d", name, len(files), maxFiles)
	}
	texts, size := make([]settings.Text, 0, len(files)), 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if size += len(data); size > maxBytes {
			return nil, fmt.Errorf("%s is more than %d bytes; a catalogue is at most that, in all its files", name, maxBytes)
		}
		texts = append(texts, settings.Text{File: file, Data: data})
	}
	return texts, nil
}

// Load reads and checks the catalogue called name; faults are settings.Faults.
func Load(name string) (*Catalogue, error) {
	texts, err := Read(name)
	if err != nil {
		return nil, err
	}
	parsed, faults := ParseFiles(name, texts)
	return parsed, faults.Err()
}

// Folder is the folder that is read together with the file called name.
func Folder(name string) string { return strings.TrimSuffix(name, filepath.Ext(name)) + ".d" }

func filesOf(name string) ([]string, error) {
	info, err := os.Stat(name)
	switch {
	case err == nil && info.IsDir():
		files, err := folder(name)
		if err == nil && len(files) == 0 {
			err = &fs.PathError{Op: "read", Path: filepath.Join(name, "*.yaml"), Err: fs.ErrNotExist}
		}
		return files, err
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	beside, besideErr := folder(Folder(name))
	if besideErr != nil {
		return nil, besideErr
	}
	if err == nil {
		return append([]string{name}, beside...), nil
	}
	if len(beside) > 0 {
		return beside, nil
	}
	return []string{name}, nil // reading it says what is wrong
}

// folder is the catalogue's files of a folder; one that is not there has none.
func folder(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		switch {
		case e.IsDir() || strings.HasPrefix(e.Name(), "."):
		case filepath.Ext(name) == ".yml":
			return nil, fmt.Errorf("%s is not read, for its name does not end in .yaml; rename it, or move it away", name)
		case filepath.Ext(name) == ".yaml":
			files = append(files, name)
		}
	}
	slices.Sort(files)
	return files, nil
}
