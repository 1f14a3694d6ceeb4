// Package template fills the `{{ … }}` placeholders of a prefect.yaml the way Prefect does, without knowing where values come from.
//
// Prefect's templates are not Jinja: a placeholder holds one name and nothing else. There are four kinds, told apart by how the name begins, and
// Prefect fills them in passes, one after the other over the whole tree: blocks, variables, the environment, the outputs of steps. A pass leaves what
// is not its own. So a value that came from a block may hold `{{ $HOME }}`, and the environment's pass will fill it; whoever resolves in one go
// gets other results. Here a pass is a Lookup (kind of answer for each placeholder) and two rules for what is not set; Apply carries it out.
//
//	image: "{{ registry.url }}/{{ $TEAM }}:{{ hash.stdout }}"
//
// becomes, after the environment's pass with TEAM=data, `{{ registry.url }}/data:{{ hash.stdout }}`, and the outputs' pass does the rest; before the build
// that pass answers "later", and the value stays as it is, marked AfterBuild.
package template

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Kind is what a placeholder refers to.
type Kind uint8

const (
	// Output is a step's output, or anything else without a prefix of its own (a bare environment variable, ctx.*).
	Output Kind = iota
	// Block is prefect.blocks.TYPE.NAME[.PATH].
	Block
	// Variable is prefect.variables.NAME.
	Variable
	// Env is $NAME.
	Env
)

const (
	blockPrefix    = "prefect.blocks."
	variablePrefix = "prefect.variables."
)

// Placeholder is one `{{ name }}` in a text.
type Placeholder struct {
	// Start and End are byte offsets in the text, braces included.
	Start, End int
	// Name is what stands between the braces, without space: "build-image.image", "$HOME".
	Name string
	Kind Kind
}

// Find returns the placeholders of a text from left to right. The grammar is Prefect's regular expression `{{\s*[\w.\-\[\]$]+\s*}}`, written out
// because it runs over every text of the file: `{{ a b }}`, `{{ f(x) }}` and `{{}}` are plain text.
func Find(text string) []Placeholder {
	var found []Placeholder
	for i := 0; ; {
		open := strings.Index(text[i:], "{{")
		if open < 0 {
			return found
		}
		p, ok := match(text, i+open)
		if !ok {
			i += open + 1 // `{{{ x }}` holds a placeholder that begins at the second brace
			continue
		}
		found = append(found, p)
		i = p.End
	}
}

// Whole returns the placeholder that is all of a text.
func Whole(text string) (Placeholder, bool) {
	if !strings.HasPrefix(text, "{{") {
		return Placeholder{}, false
	}
	p, ok := match(text, 0)
	return p, ok && p.End == len(text)
}

// Has reports whether text holds a placeholder; most texts hold none and cost one search for a brace.
func Has(text string) bool {
	return strings.Contains(text, "{{") && len(Find(text)) > 0
}

func match(text string, start int) (Placeholder, bool) {
	i := skipSpace(text, start+2)
	from := i
	for i < len(text) {
		if c := text[i]; c < utf8.RuneSelf {
			if !nameByte(c) {
				break
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		if !unicode.IsLetter(r) && !unicode.IsNumber(r) && r != '_' {
			break
		}
		i += size
	}
	name := text[from:i]
	i = skipSpace(text, i)
	if name == "" || !strings.HasPrefix(text[i:], "}}") {
		return Placeholder{}, false
	}
	return Placeholder{Start: start, End: i + 2, Name: name, Kind: KindOf(name)}, true
}

func nameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '.' || c == '-' || c == '[' || c == ']' || c == '$'
}

func skipSpace(text string, i int) int {
	for i < len(text) {
		r, size := utf8.DecodeRuneInString(text[i:])
		if !unicode.IsSpace(r) && (r < 0x1c || r > 0x1f) { // Python counts the four separators of ASCII as space
			break
		}
		i += size
	}
	return i
}

// KindOf tells a name's kind by how it begins.
func KindOf(name string) Kind {
	switch {
	case strings.HasPrefix(name, blockPrefix):
		return Block
	case strings.HasPrefix(name, variablePrefix):
		return Variable
	case strings.HasPrefix(name, "$"):
		return Env
	}
	return Output
}

// EnvName is the environment variable that a placeholder of kind Env names: all leading $ are taken off.
func (p Placeholder) EnvName() string { return strings.TrimLeft(p.Name, "$") }

// VariableName is the name of the Prefect variable.
func (p Placeholder) VariableName() string { return strings.TrimPrefix(p.Name, variablePrefix) }

// BlockPath takes a block reference apart: type slug, document name and the path into its data ("" for the whole).
// ok is false for a reference that names only a type, which Prefect refuses before any request.
func (p Placeholder) BlockPath() (slug, name, path string, ok bool) {
	parts := strings.SplitN(strings.TrimPrefix(p.Name, blockPrefix), ".", 3)
	if len(parts) < 2 {
		return "", "", "", false
	}
	if len(parts) == 3 {
		path = parts[2]
	}
	return parts[0], parts[1], path, true
}

// Runtime reports whether the placeholder is filled when a run starts ({{ ctx.flow_run.name }}) and so stays as it is.
func (p Placeholder) Runtime() bool { return strings.HasPrefix(p.Name, "ctx.") }
