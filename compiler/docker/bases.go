// What images a Dockerfile begins with. An image that another step builds has to be there first, and nobody says so but the Dockerfile: Prefect's steps run one after the other, ours side by side.
//
// Only what is certain from the text counts: FROM and COPY --from with names that stand there, or that arguments before the first FROM and of the step give. docs.docker.com/reference/dockerfile has the grammar.
package docker

import (
	"slices"
	"strings"
)

// Bases are the images that a Dockerfile takes something from, with their tags, each once; all is false where there is one that is not known. arg gives an argument that the build is told; known is false where its value is not known yet.
func Bases(dockerfile []byte, arg func(name string) (text string, given, known bool)) (images []string, all bool) {
	b := bases{arg: arg, values: map[string]*string{}}
	for _, line := range instructions(string(dockerfile)) {
		b.instruction(line)
	}
	return b.images, b.begun && !b.unknown
}

type bases struct {
	arg    func(string) (string, bool, bool)
	values map[string]*string // of arguments before the first FROM; nil where it is not known
	stages []string
	begun  bool
	// unknown: there was an image of which the name is not known.
	unknown bool
	images  []string
}

func (b *bases) instruction(line string) {
	words := strings.Fields(line)
	if len(words) < 2 {
		return
	}
	switch strings.ToUpper(words[0]) {
	case "ARG":
		for _, word := range words[1:] {
			b.argument(word)
		}
	case "FROM":
		b.begun = true
		rest := words[1:]
		for len(rest) > 0 && strings.HasPrefix(rest[0], "--") {
			rest = rest[1:]
		}
		if len(rest) == 0 {
			return
		}
		b.take(rest[0], true)
		name := ""
		if len(rest) == 3 && strings.EqualFold(rest[1], "AS") {
			name = strings.ToLower(rest[2])
		}
		b.stages = append(b.stages, name)
	case "COPY":
		for _, word := range words[1:] {
			if from, ok := strings.CutPrefix(word, "--from="); ok && strings.Trim(from, "0123456789") != "" {
				b.take(from, false)
			}
		}
	}
}

func (b *bases) argument(word string) {
	if b.begun {
		return
	}
	name, text, written := strings.Cut(word, "=")
	switch given, told, known := b.arg(name); {
	case told && known:
		b.values[name] = &given
	case told:
		b.values[name] = nil
	case written:
		if filled, ok := b.fill(strings.Trim(text, `"'`)); ok {
			b.values[name] = &filled
		}
	}
}

// take notes an image, unless it is a stage of this file or not known. Only FROM is filled from arguments.
func (b *bases) take(name string, filled bool) {
	name = strings.Trim(name, `"'`)
	ok := !strings.Contains(name, "$")
	if !ok && filled {
		name, ok = b.fill(name)
	}
	b.unknown = b.unknown || !ok
	if !ok || name == "" || name == "scratch" || slices.Contains(b.stages, strings.ToLower(name)) {
		return
	}
	if last := name[strings.LastIndexByte(name, '/')+1:]; !strings.ContainsAny(last, ":@") {
		name += ":latest"
	}
	if !slices.Contains(b.images, name) {
		b.images = append(b.images, name)
	}
}

// fill puts arguments into $NAME, ${NAME} and ${NAME:-default}; ok is false where one is not known.
func (b *bases) fill(text string) (string, bool) {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "$")
		out.WriteString(before)
		if !found {
			return out.String(), true
		}
		name, fallback := "", ""
		if inner, braces := strings.CutPrefix(rest, "{"); braces {
			var closed bool
			if inner, text, closed = strings.Cut(inner, "}"); !closed {
				return "", false
			}
			name, fallback, _ = strings.Cut(inner, ":-")
		} else {
			end := strings.IndexFunc(rest, func(r rune) bool { return r != '_' && (r > 0x7f || !alphanumeric(r)) })
			if end < 0 {
				end = len(rest)
			}
			name, text = rest[:end], rest[end:]
		}
		value, declared := b.values[name]
		switch {
		case name == "" || declared && value == nil || strings.ContainsAny(fallback, "${") || strings.ContainsAny(name, ":+?#%"):
			return "", false
		case declared && *value != "":
			out.WriteString(*value)
		case fallback != "":
			out.WriteString(fallback)
		default:
			return "", false
		}
	}
}

// instructions are the lines of a Dockerfile with those that go on put together, without comments and the bodies of here-documents.
func instructions(text string) (out []string) {
	escape, end := `\`, ""
	going := ""
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if directive := strings.ToLower(strings.ReplaceAll(line, " ", "")); i < 3 && directive == "#escape=`" {
			escape = "`"
		}
		switch {
		case end != "":
			if line == end {
				end = ""
			}
			continue
		case strings.HasPrefix(line, "#") || line == "" && going != "":
			continue
		case strings.HasSuffix(line, escape):
			going += strings.TrimSuffix(line, escape) + " "
			continue
		}
		line, going = going+line, ""
		if _, after, found := strings.Cut(line, "<<"); found && !strings.HasPrefix(strings.ToUpper(line), "FROM") {
			if words := strings.Fields(strings.TrimPrefix(after, "-")); len(words) > 0 {
				end = strings.Trim(words[0], `"'`)
			}
		}
		out = append(out, line)
	}
	return out
}
