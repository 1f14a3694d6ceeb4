// Where a directory's repository comes from, read from git's own files: this half of the project starts no process. It is the answer of `git config --get remote.origin.url`
// and `git rev-parse --abbrev-ref HEAD`, with what Prefect makes of them: no remote means no repository, and a branch that nobody can name is main.
//
//	.git/HEAD     ref: refs/heads/dev           the branch dev, when there is such a ref
//	.git/config   [remote "origin"] url = …     the last one counts
//	.git          gitdir: ../.git/worktrees/x   a worktree: its HEAD is there, and commondir leads to the rest
//
// Left out are settings that stand outside of the repository (nobody keeps a remote there) and conditional includes.
package recipe

import (
	"path"
	"strings"
)

// Read gives the bytes of a file by its absolute slash path.
type Read func(path string) ([]byte, error)

// Repository finds the remote and the branch of the repository that an absolute directory is in; both are "" where there is no remote.
func Repository(dir string, read Read) (remote, branch string) {
	git, common, ok := gitDirectory(dir, read)
	if !ok {
		return "", ""
	}
	s := settings{read: read}
	if !s.file(common+"/config", 0) || s.worktree && !s.file(git+"/config.worktree", 0) {
		return "", ""
	}
	if remote = strings.TrimSpace(s.origin); remote == "" { // as Prefect takes it
		return "", ""
	}
	return remote, branchOf(git, common, read)
}

// gitDirectory walks up to the folder that holds HEAD, and the one that holds what all worktrees share.
func gitDirectory(dir string, read Read) (git, common string, ok bool) {
	for {
		git = path.Join(dir, ".git")
		if link, err := read(git); err == nil {
			to, isLink := strings.CutPrefix(strings.TrimRight(string(link), "\r\n"), "gitdir: ")
			if !isLink {
				return "", "", false
			}
			git = under(dir, to)
			if _, err := read(git + "/HEAD"); err != nil {
				return "", "", false
			}
			break
		}
		if _, err := read(git + "/HEAD"); err == nil {
			break
		}
		if dir == path.Dir(dir) {
			return "", "", false
		}
		dir = path.Dir(dir)
	}
	if to, err := read(git + "/commondir"); err == nil {
		return git, under(git, strings.TrimSpace(string(to))), true
	}
	return git, git, true
}

func under(dir, to string) string {
	if path.IsAbs(to) {
		return path.Clean(to)
	}
	return path.Join(dir, to)
}

// branchOf names the branch that is checked out: HEAD where it is none, main where it has no commit yet.
func branchOf(git, common string, read Read) string {
	head, _ := read(git + "/HEAD")
	ref, isRef := strings.CutPrefix(strings.TrimSpace(string(head)), "ref: ")
	if !isRef {
		return "HEAD"
	}
	branch, isBranch := strings.CutPrefix(ref, "refs/heads/")
	if !isBranch {
		return "main"
	}
	if _, err := read(common + "/" + ref); err == nil {
		return branch
	}
	packed, _ := read(common + "/packed-refs")
	for _, line := range strings.Split(string(packed), "\n") {
		if strings.HasSuffix(strings.TrimRight(line, "\r"), " "+ref) {
			return branch
		}
	}
	return "main"
}

// mostIncludes is how deep files of settings may include each other, as in git.
const mostIncludes = 10

// settings are the few that matter here.
type settings struct {
	read     Read
	origin   string
	worktree bool
}

// file reads one file of settings; false means that git would refuse it.
func (s *settings) file(name string, depth int) bool {
	text, err := s.read(name)
	if err != nil {
		return true
	}
	p := configuration{rest: strings.ReplaceAll(strings.TrimPrefix(string(text), "\ufeff"), "\r\n", "\n")}
	return p.each(func(section, key, value string) {
		switch section + "." + key {
		case "remote.origin.url":
			s.origin = value
		case "extensions.worktreeconfig":
			s.worktree = strings.EqualFold(value, "true") || value == "1"
		case "include.path":
			if depth < mostIncludes {
				s.file(under(path.Dir(name), value), depth+1)
			}
		}
	})
}

// configuration reads git's format of settings.
type configuration struct{ rest string }

// each calls set for every setting: the section with its part in quotes, the key in small letters, and the value. It is false at the first thing that is no such format.
func (p *configuration) each(set func(section, key, value string)) bool {
	section := ""
	for {
		p.rest = strings.TrimLeft(p.rest, " \t\r\n\v\f")
		switch {
		case p.rest == "":
			return true
		case p.rest[0] == '#' || p.rest[0] == ';':
			_, p.rest, _ = strings.Cut(p.rest, "\n")
		case p.rest[0] == '[':
			var ok bool
			if section, ok = p.section(); !ok {
				return false
			}
		default:
			key, value, ok := p.setting()
			if !ok {
				return false
			}
			set(section, key, value)
		}
	}
}

// section reads `[remote "origin"]`; the old form [remote.origin] has no capitals.
func (p *configuration) section() (string, bool) {
	n := 1
	for n < len(p.rest) && (word(p.rest[n]) || p.rest[n] == '.') {
		n++
	}
	name := strings.ToLower(p.rest[1:n])
	p.rest = strings.TrimLeft(p.rest[n:], " \t")
	if after, ok := strings.CutPrefix(p.rest, "]"); ok {
		p.rest = after
		return name, name != ""
	}
	if !strings.HasPrefix(p.rest, `"`) {
		return "", false
	}
	var b strings.Builder
	for i := 1; i < len(p.rest); i++ {
		switch p.rest[i] {
		case '\n':
			return "", false
		case '\\':
			if i++; i < len(p.rest) {
				b.WriteByte(p.rest[i])
			}
		case '"':
			after, ok := strings.CutPrefix(p.rest[i+1:], "]")
			p.rest = after
			return name + "." + b.String(), ok
		default:
			b.WriteByte(p.rest[i])
		}
	}
	return "", false
}

// setting reads `url = value`, or a key alone.
func (p *configuration) setting() (key, value string, ok bool) {
	n := 0
	for n < len(p.rest) && word(p.rest[n]) {
		n++
	}
	key = strings.ToLower(p.rest[:n])
	p.rest = strings.TrimLeft(p.rest[n:], " \t")
	switch {
	case key == "" || key[0] == '-' || key[0] >= '0' && key[0] <= '9':
		return "", "", false
	case p.rest == "" || p.rest[0] == '\n':
		return key, "", true
	case p.rest[0] != '=':
		return "", "", false
	}
	p.rest = strings.TrimLeft(p.rest[1:], " \t")
	value, ok = p.value()
	return key, value, ok
}

// escapes are what may stand behind a backslash in a value; one before a line's end joins the next line.
var escapes = map[byte]string{'n': "\n", 't': "\t", 'b': "\b", '\\': "\\", '"': "\"", '\n': ""}

func (p *configuration) value() (string, bool) {
	var b strings.Builder
	quoted, comment, spaces := false, false, 0 // spaces at the end are kept only when something follows
	i := 0
	for ; i < len(p.rest) && p.rest[i] != '\n'; i++ {
		c := p.rest[i]
		text := p.rest[i : i+1]
		switch {
		case comment:
			continue
		case !quoted && (c == ' ' || c == '\t'):
			spaces++
			b.WriteByte(c)
			continue
		case !quoted && (c == '#' || c == ';'):
			comment = true
			continue
		case c == '"':
			quoted = !quoted
			text = ""
		case c == '\\':
			i++
			known := false
			if i < len(p.rest) {
				text, known = escapes[p.rest[i]]
			}
			if !known {
				return "", false
			}
		}
		spaces = 0
		b.WriteString(text)
	}
	p.rest = p.rest[i:]
	return b.String()[:b.Len()-spaces], !quoted
}

func word(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-'
}
