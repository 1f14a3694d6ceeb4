// What an ignore file leaves out, by go-git's reading of gitignore's rules.
package storage

import (
	"strings"

	"github.com/go-git/go-git/v5/plumbing/format/gitignore"
)

// ignored are the patterns of a file.
type ignored struct{ matcher gitignore.Matcher }

func newIgnored(lines []string) *ignored {
	var patterns []gitignore.Pattern
	for _, line := range lines {
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
			continue
		}
		patterns = append(patterns, gitignore.ParsePattern(line, nil))
	}
	return &ignored{gitignore.NewMatcher(patterns)}
}

// file reports whether a file is left out, whole whether a directory is, with all that is in it.
func (i *ignored) file(name string) bool { return i.matcher.Match(strings.Split(name, "/"), false) }

func (i *ignored) whole(name string) bool { return i.matcher.Match(strings.Split(name, "/"), true) }
