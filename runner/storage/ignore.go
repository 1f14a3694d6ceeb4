// What an ignore file leaves out: gitignore's patterns as Prefect reads them (pathspec's GitIgnoreSpec), matched by doublestar. A pattern is rewritten into what doublestar knows, and what it says of a file follows from which of the
// path's beginnings it matches:
//
//	*.log        →  **/*.log     the file itself, or a directory above it
//	/build/      →  build        only a directory above it
//	a/**/z       →  a/**/z       as it is
//	b/**         →  b            a directory above it, and that counts as the file itself
//
// The last pattern that matches the file itself decides; where none does, the last that matches a directory above it. So `d/` and then `!d/keep` leaves out all of d but keep, which git would not.
package storage

import (
	"fmt"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// ignored are the patterns of a file.
type ignored struct {
	rules []rule
	// negates says that some pattern takes back what another leaves out, so that no directory can be passed over as a whole.
	negates bool
}

type rule struct {
	keep bool
	glob string
	// above: only what lies below a match counts; itself: and counts as if it were the match.
	above, itself bool
}

// newIgnored reads the lines; an error names one that is no pattern.
func newIgnored(lines []string) (*ignored, error) {
	out := &ignored{}
	for i, line := range lines {
		r, ok, err := readRule(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		if ok {
			out.rules = append(out.rules, r)
			out.negates = out.negates || r.keep
		}
	}
	return out, nil
}

// readRule reads a line; ok is false for one that says nothing: a blank one, a comment, a bracket that is never closed.
func readRule(line string) (r rule, ok bool, err error) {
	if !strings.HasSuffix(line, `\ `) {
		line = strings.TrimRight(line, " \t\r\n\f\v")
	}
	if line == "" || line == "/" || line[0] == '#' {
		return r, false, nil
	}
	if r.keep = line[0] == '!'; r.keep {
		line = line[1:]
	}
	parts := strings.Split(line, "/")
	switch {
	case parts[0] == "":
		parts = parts[1:]
	case parts[0] != "**" && (len(parts) == 1 || len(parts) == 2 && parts[1] == ""):
		parts = append([]string{"**"}, parts...)
	}
	if len(parts) == 0 {
		return r, false, fmt.Errorf("%q is no pattern", line)
	}
	if last := len(parts) - 1; parts[last] == "" {
		r.above, parts = true, parts[:last]
	}
	for len(parts) > 1 && parts[len(parts)-1] == "**" {
		if !r.above {
			r.above, r.itself = true, true
		}
		parts = parts[:len(parts)-1]
	}
	if len(parts) == 0 {
		return r, false, nil
	}
	for i, part := range parts {
		if parts[i], ok, err = segment(part); err != nil || !ok {
			return r, false, err
		}
	}
	r.glob = strings.Join(parts, "/")
	if r.glob == "**/*" && !r.above || r.glob == "**" && r.itself {
		r.above, r.itself, r.glob = false, true, "**"
	}
	return r, true, nil
}

// segment rewrites what stands between two slashes.
func segment(s string) (glob string, ok bool, err error) {
	if s == "**" {
		return s, true, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '\\':
			if i++; i == len(s) {
				return "", false, fmt.Errorf("%q ends in a backslash, which has nothing to stand before", s)
			}
			b.WriteByte('\\')
			b.WriteByte(s[i])
		case '*':
			if !strings.HasSuffix(b.String(), "*") || strings.HasSuffix(b.String(), `\*`) {
				b.WriteByte('*')
			}
		case '[':
			class, n := bracket(s[i:])
			if n == 0 {
				return "", false, nil
			}
			b.WriteString(class)
			i += n - 1
		case '{', '}', ']':
			b.WriteByte('\\')
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), true, nil
}

// bracket rewrites a class of characters at a text's beginning, and says how long it was: 0 when it is never closed.
func bracket(s string) (class string, n int) {
	begin := 1
	if begin < len(s) && (s[begin] == '!' || s[begin] == '^') {
		begin++
	}
	end := begin
	if end < len(s) && s[end] == ']' {
		end++
	}
	for end < len(s) && s[end] != ']' {
		end++
	}
	if end >= len(s) {
		return "", 0
	}
	var b strings.Builder
	b.WriteByte('[')
	if begin == 2 {
		b.WriteByte('^')
	}
	members := []rune(s[begin:end])
	for i := 0; i < len(members); i++ {
		writeMember(&b, members[i])
		if i+2 < len(members) && members[i+1] == '-' {
			b.WriteByte('-')
			writeMember(&b, members[i+2])
			i += 2
		}
	}
	b.WriteByte(']')
	return b.String(), end + 1
}

func writeMember(b *strings.Builder, r rune) {
	if strings.ContainsRune(`\]-^![`, r) {
		b.WriteByte('\\')
	}
	b.WriteRune(r)
}

// What a rule says of a file.
const (
	nothing = iota
	ofDirectory
	ofFile
)

func (r rule) matches(name string) int {
	if r.glob == "**" {
		switch inside := strings.Contains(name, "/"); {
		case !r.above, inside && r.itself:
			return ofFile
		case inside:
			return ofDirectory
		}
		return nothing
	}
	if !r.above && doublestar.MatchUnvalidated(r.glob, name) {
		return ofFile
	}
	for i := len(name) - 1; i > 0; i-- {
		if name[i] != '/' {
			continue
		}
		if doublestar.MatchUnvalidated(r.glob, name[:i]) {
			if r.itself {
				return ofFile
			}
			return ofDirectory
		}
	}
	return nothing
}

// file reports whether a file is left out.
func (i *ignored) file(name string) bool {
	out := false
	best := nothing
	for k := len(i.rules) - 1; k >= 0 && best != ofFile; k-- {
		if m := i.rules[k].matches(name); m > best {
			best, out = m, !i.rules[k].keep
		}
	}
	return out
}

// whole reports whether all that a directory holds is left out, whatever it is called.
func (i *ignored) whole(name string) bool {
	if i.negates {
		return false
	}
	for _, r := range i.rules {
		if r.glob == "**" || doublestar.MatchUnvalidated(r.glob, name) {
			return true
		}
	}
	return false // a match of a directory above it was seen there
}
