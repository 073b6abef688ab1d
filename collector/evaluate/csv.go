package evaluate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// records reads RFC 4180 records: fields with commas between them, in double
// quotes where they hold commas, quotes (doubled) or line ends. It reads a
// large file several times faster than encoding/csv and, unlike that, goes on
// after a bad record.
type records struct {
	in     io.Reader
	buffer []byte // what is read and not yet consumed is buffer[begin:end]
	begin  int
	end    int
	eof    bool
	line   int // of the record that next returned, counted from 1
	next1  int // of the one after
	read   int64
	fields [][]byte
	quoted []byte // the unquoted text of quoted fields
}

// maxRecord bounds a record, so that a quote that is never closed does not
// make a buffer of the whole file.
const maxRecord = 1 << 20

func newRecords(in io.Reader) *records {
	return &records{in: in, buffer: make([]byte, 1<<18), next1: 1}
}

// badRecord is a record that cannot be read; the one after it can.
type badRecord string

func (b badRecord) Error() string { return string(b) }

// next returns the fields of the next record, valid until it is called again;
// io.EOF after the last; a badRecord where there is one.
func (r *records) next(ctx context.Context) ([][]byte, error) {
	for {
		data := r.buffer[r.begin:r.end]
		n := bytes.IndexByte(data, '\n')
		if n >= 0 && bytes.IndexByte(data[:n], '"') < 0 {
			r.begin += n + 1
			r.line, r.next1 = r.next1, r.next1+1
			return r.plain(data[:n])
		}
		if n >= 0 || r.eof && bytes.IndexByte(data, '"') >= 0 {
			length, ended, inside := quotedLength(data)
			if ended || r.eof || len(data) >= maxRecord {
				return r.takeQuoted(data, length, ended || r.eof && !inside)
			}
		} else if r.eof && len(data) == 0 {
			return nil, io.EOF
		} else if r.eof {
			r.begin = r.end
			r.line, r.next1 = r.next1, r.next1+1
			return r.plain(data)
		} else if len(data) >= maxRecord {
			return nil, fmt.Errorf("line %d is longer than %d bytes", r.next1, maxRecord)
		}
		if err := r.fill(ctx); err != nil {
			return nil, err
		}
	}
}

// fill reads more into the buffer.
func (r *records) fill(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	copy(r.buffer, r.buffer[r.begin:r.end])
	r.begin, r.end = 0, r.end-r.begin
	if r.end == len(r.buffer) {
		r.buffer = append(r.buffer, make([]byte, len(r.buffer))...)
	}
	n, err := r.in.Read(r.buffer[r.end:])
	r.end += n
	r.read += int64(n)
	if errors.Is(err, io.EOF) {
		r.eof, err = true, nil
	}
	return err
}

// plain splits a record without quotes.
func (r *records) plain(record []byte) ([][]byte, error) {
	if n := len(record); n > 0 && record[n-1] == '\r' {
		record = record[:n-1]
	}
	if !utf8.Valid(record) {
		return nil, badRecord("not UTF-8")
	}
	r.fields = r.fields[:0]
	for {
		comma := bytes.IndexByte(record, ',')
		if comma < 0 {
			r.fields = append(r.fields, record)
			return r.fields, nil
		}
		r.fields = append(r.fields, record[:comma])
		record = record[comma+1:]
	}
}

// quotedLength is the length of the first record in data up to its line end,
// line ends in quotes left out. ended: the line end is in data; inside: data
// ends within quotes. A quote opens only at the beginning of a field.
func quotedLength(data []byte) (length int, ended, inside bool) {
	begin := true
	for i := 0; i < len(data); i++ {
		c := data[i]
		switch {
		case inside && c == '"':
			if i+1 < len(data) && data[i+1] == '"' {
				i++
			} else {
				inside = false
			}
		case inside:
		case c == '"' && begin:
			inside = true
		case c == '\n':
			return i, true, false
		}
		begin = c == ',' && !inside
	}
	return len(data), false, inside
}

// takeQuoted consumes a record with quotes of that length; one whose quotes
// do not close (whole is false) is given up at its first line end.
func (r *records) takeQuoted(data []byte, length int, whole bool) ([][]byte, error) {
	if !whole {
		if length = bytes.IndexByte(data, '\n'); length < 0 {
			length = len(data)
		}
	}
	r.begin += min(length+1, len(data))
	r.line = r.next1
	r.next1 += 1 + bytes.Count(data[:length], []byte{'\n'})
	record := bytes.TrimSuffix(data[:length], []byte{'\r'})
	if !whole {
		return nil, badRecord("a quote is not closed")
	}
	if !utf8.Valid(record) {
		return nil, badRecord("not UTF-8")
	}
	return r.unquote(record)
}

func (r *records) unquote(record []byte) ([][]byte, error) {
	r.fields, r.quoted = r.fields[:0], make([]byte, 0, len(record))
	for {
		var field []byte
		if len(record) > 0 && record[0] == '"' {
			begin := len(r.quoted)
			record = record[1:]
			for {
				quote := bytes.IndexByte(record, '"')
				r.quoted = append(r.quoted, record[:quote]...)
				record = record[quote+1:]
				if len(record) == 0 || record[0] != '"' {
					break
				}
				r.quoted = append(r.quoted, '"')
				record = record[1:]
			}
			field = r.quoted[begin:]
			if len(record) > 0 && record[0] != ',' {
				return nil, badRecord("text after a closing quote")
			}
		} else {
			comma := bytes.IndexByte(record, ',')
			if comma < 0 {
				comma = len(record)
			}
			if field = record[:comma]; bytes.IndexByte(field, '"') >= 0 {
				return nil, badRecord("a quote in a field that does not begin with one")
			}
			record = record[comma:]
		}
		r.fields = append(r.fields, field)
		if len(record) == 0 {
			return r.fields, nil
		}
		record = record[1:]
	}
}
