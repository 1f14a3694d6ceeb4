// What must not be printed, beside the values of the plan, which know it themselves. A command prints a part of what it was given, in whatever surroundings, so its text is
// searched for every secret that was looked up so far. Steps start only after their inputs were filled, and so never print a secret before it is known here.
package deploy

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/url"
	"slices"
	"strings"
	"sync"
	"unicode/utf16"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/spec"
	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/plan"
	"github.com/org/prefect-deploy-action/runner/step"
)

// mask hides secrets in texts. Its zero value knows none.
type mask struct {
	mu      sync.RWMutex
	secrets []string
	known   map[string]bool
	// kept are those that the project itself calls secrets: there is nothing to be told apart, however short they are.
	kept map[string]bool
}

// shortest is the length of a text, in bytes, below which it is too common to be hidden wherever it stands.
const shortest = 4

// add makes a secret known: each of its lines, also in the forms that it has in JSON, in a message and in a URL, and what it is in base64, alone or in the middle of something (a header, a Kubernetes secret, a configuration of Docker).
func (m *mask) add(secret string) { m.learn(secret, false) }

// keep is add for what the project itself calls a secret.
func (m *mask) keep(secret string) { m.learn(secret, true) }

func (m *mask) learn(secret string, kept bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil {
		m.known, m.kept = map[string]bool{}, map[string]bool{}
	}
	for line := range strings.SplitSeq(secret, "\n") {
		line = strings.TrimSpace(line)
		if len(line) < shortest || m.known[line] && (m.kept[line] || !kept) { // known with all its spellings, which take a while to find
			continue
		}
		for _, text := range spelled(line) {
			if len(text) < shortest || common(text) {
				continue
			}
			if !m.known[text] {
				m.known[text] = true
				m.secrets = append(m.secrets, text)
			}
			m.kept[text] = m.kept[text] || kept
		}
	}
}

// spelled are the ways in which programs write a text: as it is, in JSON (also in that of programs that keep to ASCII, or to what HTML may hold, and in JSON within JSON), as Python shows a text, in a message of ours, in HTML and XML, in URLs (whose libraries
// differ in which signs they leave, and in how a space looks), in base64, read in the wrong encoding, and as git_clone makes a directory's name of a branch.
func spelled(text string) []string {
	quoted := strings.Trim(string(value.Of(text).AppendJSON(nil)), `"`)
	forHTML, _ := json.Marshal(text)
	again := func(text string) string { return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) }
	shown, inXML := strings.ReplaceAll(text, `\`, `\\`), strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	out := []string{text, quoted, ascii(quoted), again(quoted), again(ascii(quoted)), shown, strings.ReplaceAll(shown, "'", `\'`), strings.ReplaceAll(quoted, `\`, `\\`), strings.ReplaceAll(ascii(quoted), `\`, `\\`),
		strings.Trim(string(forHTML), `"`), diag.Clean(text), html.EscapeString(text), inXML.Replace(text), strings.NewReplacer(`"`, "&quot;", "'", "&#x27;").Replace(inXML.Replace(text)), strings.NewReplacer(`"`, "&quot;", "'", "&apos;").Replace(inXML.Replace(text))}
	if len(text) >= long { // guesses, which for a short text may be something else
		out = append(out, strings.ReplaceAll(text, "/", "-"), misread(text))
	}
	for _, text := range []string{text, quoted, ascii(quoted)} {
		out = append(out, inURLs(text)...)
		out = append(out, inBase64(text)...)
	}
	return out
}

// inURLs is a text as the libraries of Go, Python and JavaScript write it into URLs.
func inURLs(text string) []string {
	strict := strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
	path, script := strings.ReplaceAll(strict, "%2F", "/"), strings.NewReplacer("%21", "!", "%27", "'", "%28", "(", "%29", ")", "%2A", "*").Replace(strict)
	return []string{url.QueryEscape(text), url.PathEscape(text), strict, path, script, small(strict), small(path)}
}

// misread is UTF-8 that was read as Latin-1, as git reads an answer that does not tell; of that the control characters are never shown.
func misread(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] < 0x80 || text[i] >= 0xa0 {
			b.WriteRune(rune(text[i]))
		}
	}
	return b.String()
}

// ascii writes what is not ASCII as JSON's \u does.
func ascii(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r < 0x80:
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// small writes a URL's escapes in small letters.
func small(escaped string) string {
	b := []byte(escaped)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i:], bytes.ToLower(b[i:i+3]))
			i += 2
		}
	}
	return string(b)
}

// inBase64 is how base64 writes a text, whatever stands before and after it: three ways, as three bytes make four signs, each without the signs that its neighbours have a part in. Nothing for a text so short that the signs
// might be a word.
func inBase64(text string) []string {
	var out []string
	for before := range 3 {
		signs := base64.RawStdEncoding.EncodeToString([]byte("\x00\x00"[:before] + text))
		signs = signs[[]int{0, 2, 3}[before]:]
		if (before+len(text))%3 != 0 {
			signs = signs[:max(0, len(signs)-1)]
		}
		if len(signs) < long {
			continue
		}
		out = append(out, signs)
		if other := strings.NewReplacer("+", "-", "/", "_").Replace(signs); other != signs {
			out = append(out, other)
		}
	}
	return out
}

// common reports whether a text is a word of YAML and no secret.
func common(text string) bool {
	return slices.Contains([]string{"true", "false", "null", "none"}, strings.ToLower(text))
}

// apply returns the text with every secret replaced. All places are found before the first is replaced: where two secrets overlap, or one holds the other, nothing of
// either stays.
func (m *mask) apply(text string) string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var hidden []bool
	for _, s := range m.secrets {
		for from := 0; ; {
			i := strings.Index(text[from:], s)
			if i < 0 {
				break
			}
			if hidden == nil {
				hidden = make([]bool, len(text)+1)
			}
			for k := range len(s) {
				hidden[from+i+k] = true
			}
			from += i + 1
		}
	}
	if hidden == nil {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case !hidden[i]:
			b.WriteByte(text[i])
		case !hidden[i+1]:
			b.WriteString("***")
		}
	}
	return b.String()
}

// faults are diagnostics with every secret replaced.
func (m *mask) faults(l diag.List) diag.List {
	out := slices.Clone(l)
	for i := range out {
		out[i].Message, out[i].Help = m.apply(out[i].Message), m.apply(out[i].Help)
		out[i].Related = slices.Clone(out[i].Related)
		for k := range out[i].Related {
			out[i].Related[k].Message = m.apply(out[i].Related[k].Message)
		}
	}
	return out
}

// told is an error that ends a run, with every secret replaced: a server repeats what it was asked for.
func (m *mask) told(err error) error {
	if err == nil {
		return nil
	}
	var faults *Faults
	if errors.As(err, &faults) {
		return &Faults{m.faults(faults.List), faults.Sources}
	}
	var usage *resolve.UsageError
	if text := m.apply(err.Error()); text != err.Error() && !errors.As(err, &usage) { // what is wrong with a command line holds nothing of a file's values
		return &hiding{text, err}
	}
	return err
}

// hiding is an error whose text holds no secret.
type hiding struct {
	text string
	err  error
}

func (h *hiding) Error() string { return h.text }

// Is knows what the error is, and hands nothing of it on: a type that it holds has a text of its own.
func (h *hiding) Is(target error) bool { return errors.Is(h.err, target) }

// long is the length from which on a secret is told from a word that happens to be the same: `prod`, say, in an image's name.
const long = 8

// holds reports whether a text holds one of the long secrets, or one that is called so.
func (m *mask) holds(text string) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return slices.ContainsFunc(m.secrets, func(s string) bool { return (len(s) >= long || m.kept[s]) && strings.Contains(text, s) })
}

// keepVariables makes the variables known that a script may read without any template: those that a file has a platform keep as secrets, and those that an emitted job was passed (resolve.Optional) and that no file lets be shown.
func (j *job) keepVariables() {
	kept, shown := map[string]bool{}, map[string]bool{}
	for _, f := range j.files {
		for name := range resolve.ShownVariables(f) {
			shown[name] = true
		}
		for name := range resolve.KeptVariables(f) {
			kept[name] = true
		}
	}
	list, _ := j.Env(resolve.Optional)
	for _, name := range resolve.OptionalNames(list) {
		if !shown[name] && !resolve.SetByCI(name) && !strings.HasPrefix(name, "PREFECT_DEFAULT_") {
			kept[name] = true
		}
	}
	for name := range kept {
		if v, ok := j.Env(name); ok {
			j.masked.keep(v)
		}
	}
}

// given makes the secrets known that a step gave, and marks what else holds one.
func (m *mask) given(s *graph.Step, outputs value.Value) value.Value {
	tell := plan.Lookups{Secret: m.add}
	for _, e := range outputs.Map {
		if s.Secret(e.Key) {
			tell.Tell(e.Value)
		}
	}
	return m.mark(outputs)
}

// mark marks the parts of what a step gave that hold a secret: it may have found it elsewhere, in a file or the environment.
func (m *mask) mark(v value.Value) value.Value {
	switch v.Kind {
	case value.Text:
		if m.holds(v.Text) {
			return v.Mark(value.Sensitive)
		}
	case value.List:
		list := make([]value.Value, len(v.List))
		for i := range v.List {
			list[i] = m.mark(v.List[i])
		}
		v.List = list
	case value.Map:
		entries := append([]value.Entry(nil), v.Map...)
		for i := range entries {
			entries[i].Value = m.mark(entries[i].Value)
		}
		v.Map = entries
	}
	return v
}

// hide takes the secrets out of what a server or a file system answered, and of what steps gave before another one told that it is a secret.
func (j *job) hide(p *plan.Plan) {
	for _, d := range p.Deployments {
		d.Error = j.masked.apply(d.Error)
	}
	for i := range p.Steps {
		s := &p.Steps[i]
		s.Outputs, s.Error = j.masked.mark(s.Outputs), j.masked.apply(s.Error)
	}
}

// filesOf are the files that have a step.
func (j *job) filesOf(g *graph.Graph) map[*graph.Step][]*spec.File {
	files := map[*graph.Step][]*spec.File{}
	for _, r := range g.Registrations {
		f := j.chosen[r.Index].File
		for _, s := range r.Steps {
			if !slices.Contains(files[s], f) {
				files[s] = append(files[s], f)
			}
		}
	}
	return files
}

// tainted marks what a step gives as sensitive when something sensitive went into it: it may be an echo.
func tainted(function string, inputs, outputs value.Value) value.Value {
	relevant := inputs
	if names := resolve.MadeOf(function); names != nil {
		relevant = value.Value{Kind: value.Map}
		for _, e := range inputs.Map {
			if slices.Contains(names, e.Key) {
				relevant.Map = append(relevant.Map, e)
			}
		}
	}
	if !(inputs.Origin | relevant.Marks()).Has(value.Sensitive) {
		return outputs
	}
	return outputs.Deep(value.Sensitive)
}

// tellLogin makes known what stands in a credential's place of a step's inputs: also where the file itself says it, a server may repeat it.
func (j *job) tellLogin(function string, inputs value.Value) {
	if resolve.Canonical(function) == resolve.GitClone {
		j.masked.add(step.Header(inputs))
	}
	graph.InCredentials(inputs, func(v value.Value) { j.masked.add(v.Str()) })
	if repository, _ := inputs.Get("repository"); repository.Kind == value.Text {
		if u, err := url.Parse(repository.Text); err == nil && u.User != nil && u.Scheme != "ssh" {
			password, both := u.User.Password()
			if j.masked.add(password); !both {
				j.masked.add(u.User.Username())
			}
		}
	}
}
