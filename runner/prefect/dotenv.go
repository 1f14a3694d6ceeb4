// A .env file, as python-dotenv reads it: NAME=value lines with `export` before and a comment behind, values bare or in one of two quotings (which may hold line feeds), and
// ${NAME} or ${NAME:-else} filled from the file's earlier lines, over the environment. A line that is none of these is passed over, as there.
package prefect

import (
	"regexp"
	"strings"
)

// parseDotenv returns the values by their names in small letters.
func parseDotenv(text string, outer func(string) (string, bool)) map[string]string {
	out, filled := map[string]string{}, map[string]string{}
	if text == "" {
		return out
	}
	variable := regexp.MustCompile(`\$\{([^}:]*)(?::-([^}]*))?\}`)
	d := dotenv{strings.ReplaceAll(strings.TrimPrefix(text, "\ufeff"), "\r\n", "\n")}
	for d.text != "" {
		name, value, ok := d.line()
		if !ok {
			continue
		}
		value = variable.ReplaceAllStringFunc(value, func(found string) string {
			m := variable.FindStringSubmatch(found)
			if v, there := filled[m[1]]; there {
				return v
			}
			if v, there := outer(m[1]); there {
				return v
			}
			return m[2]
		})
		filled[name], out[strings.ToLower(name)] = value, value
	}
	return out
}

// dotenv is what is left of the text.
type dotenv struct{ text string }

// line takes one assignment from the text; ok is false for a line that is none.
func (d *dotenv) line() (name, value string, ok bool) {
	d.text = strings.TrimLeft(d.text, " \t\n\r\f\v")
	if d.text == "" {
		return "", "", false
	}
	whole := d.text
	skip := func() (string, string, bool) {
		_, d.text, _ = strings.Cut(whole, "\n")
		return "", "", false
	}
	if d.text[0] == '#' {
		return skip()
	}
	if rest, exported := strings.CutPrefix(d.text, "export "); exported {
		d.text = strings.TrimLeft(rest, " \t")
	}
	if name, ok = d.name(); !ok {
		return skip()
	}
	d.text = strings.TrimLeft(d.text, " \t")
	if !strings.HasPrefix(d.text, "=") { // a name alone has no value
		return skip()
	}
	d.text = strings.TrimLeft(d.text[1:], " \t")
	if value, ok = d.value(); !ok {
		return skip()
	}
	rest, after, _ := strings.Cut(d.text, "\n")
	if rest = strings.TrimLeft(rest, " \t"); rest != "" && rest[0] != '#' {
		return skip()
	}
	d.text = after
	return name, value, true
}

func (d *dotenv) name() (string, bool) {
	if strings.HasPrefix(d.text, "'") {
		name, rest, ok := strings.Cut(d.text[1:], "'")
		d.text = rest
		return name, ok && name != ""
	}
	end := strings.IndexAny(d.text, "=# \t\n\r")
	if end < 0 {
		end = len(d.text)
	}
	name := d.text[:end]
	d.text = d.text[end:]
	return name, name != ""
}

func (d *dotenv) value() (string, bool) {
	if d.text == "" || d.text[0] != '"' && d.text[0] != '\'' {
		line, _, _ := strings.Cut(d.text, "\n")
		d.text = d.text[len(line):]
		if i := regexp.MustCompile(`\s+#.*`).FindStringIndex(line); i != nil {
			line = line[:i[0]]
		}
		return strings.TrimRight(line, " \t\r"), true
	}
	quote, escapes := d.text[0], `\'`
	if quote == '"' {
		escapes = `\'"abfnrtv`
	}
	var b strings.Builder
	for i := 1; i < len(d.text); i++ {
		switch c := d.text[i]; {
		case c == quote:
			d.text = d.text[i+1:]
			return b.String(), true
		case c == '\\' && i+1 < len(d.text):
			i++
			if strings.IndexByte(escapes, d.text[i]) < 0 {
				b.WriteByte('\\')
			}
			if at := strings.IndexByte("abfnrtv", d.text[i]); at >= 0 && quote == '"' {
				b.WriteByte("\a\b\f\n\r\t\v"[at])
			} else {
				b.WriteByte(d.text[i])
			}
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}
