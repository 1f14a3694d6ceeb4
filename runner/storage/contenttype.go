// The type under which Google's library for Python stores a file: by its name, as Python's module mimetypes tells (testdata/mimetypes.json, recorded).
package storage

import (
	_ "embed"
	"encoding/json"
	"path"
	"strings"
	"sync"
)

//go:embed testdata/mimetypes.json
var recordedTypes []byte

type mimes struct {
	Types, Suffixes map[string]string
	Encodings       map[string]string
}

// knownTypes reads the recording at the first question.
var knownTypes = sync.OnceValue(func() (t mimes) {
	_ = json.Unmarshal(recordedTypes, &t) // a test reads it too
	return t
})

func contentType(name string) string {
	known := knownTypes()
	base, ext := splitExt(path.Base(name))
	for known.Suffixes[ext] != "" {
		base, ext = splitExt(base + known.Suffixes[ext])
	}
	if known.Encodings[ext] != "" {
		_, ext = splitExt(base)
	}
	for _, e := range []string{ext, strings.ToLower(ext)} {
		if t := known.Types[e]; t != "" {
			return t
		}
	}
	return "application/octet-stream"
}

// splitExt is Python's: dots at a name's beginning begin no ending.
func splitExt(name string) (base, ext string) {
	i := strings.LastIndexByte(name, '.')
	if i < 0 || strings.Trim(name[:i], ".") == "" {
		return name, ""
	}
	return name[:i], name[i:]
}
