// Import statements and assignments, parsed on demand.

package pysource

import "strings"

// Imported is one name that an import statement binds.
type Imported struct {
	Module string // dotted, without the leading dots
	Level  int    // number of leading dots
	Name   string // of `from … import Name`; "" for `import Module`; "*" for all
	As     string // the name bound in the file; of `import a.b` it is "a"
	Whole  bool   // `import a.b` without `as`: As is bound to the package a, and a.b is loaded
}

// Imports lists what an import statement binds, in order.
func (f *File) Imports(s Span) []Imported {
	p := exprParser{scanner{text: f.Text[:s.End]}, 0}
	i := p.blank(int(s.Start))
	word := p.word(i)
	i = p.blank(i + len(word))
	var all []Imported
	if word == "import" {
		p.elements(i, int(s.End), func(part Span, _ byte) {
			path, as := p.alias(part)
			if path == "" {
				return
			}
			m := Imported{Module: path, As: as}
			if as == "" {
				m.As, _, m.Whole = strings.Cut(path, ".")
			}
			all = append(all, m)
		})
		return all
	}
	level := 0
	for i < len(p.text) && (p.text[i] == '.' || p.text[i] == ' ' || p.text[i] == '\t' || p.text[i] == '\\' || p.text[i] == '\n') {
		if p.text[i] == '.' {
			level++
		}
		i++
	}
	module, i := p.path(i)
	if module == "import" {
		module = ""
	} else if i = p.blank(i); p.word(i) != "import" {
		return nil
	} else {
		i += len("import")
	}
	end := int(s.End)
	if i = p.blank(i); i < end && p.text[i] == '(' {
		close := p.closing(i)
		i, end = i+1, close-1
	}
	if i < end && p.text[i] == '*' {
		return []Imported{{Module: module, Level: level, Name: "*"}}
	}
	p.elements(i, end, func(part Span, _ byte) {
		name, as := p.alias(part)
		if as == "" {
			as = name
		}
		if name != "" {
			all = append(all, Imported{Module: module, Level: level, Name: name, As: as})
		}
	})
	return all
}

// path reads a dotted name at i.
func (p *exprParser) path(i int) (path string, at int) {
	w := p.word(i)
	i += len(w)
	for j := p.blank(i); w != "" && j < len(p.text) && p.text[j] == '.'; j = p.blank(i) {
		k := p.blank(j + 1)
		next := p.word(k)
		if next == "" {
			break
		}
		w += "." + next
		i = k + len(next)
	}
	return w, i
}

// alias reads `a.b as c`.
func (p *exprParser) alias(s Span) (path, as string) {
	path, i := p.path(p.space(int(s.Start)))
	if i = p.space(i); i < int(s.End) && p.word(i) == "as" {
		as = p.word(p.space(i + 2))
	}
	return path, as
}

// Assignment is `Name = Value`, `Name: Annotation = Value` or `Name: Annotation`.
type Assignment struct {
	Name                  string
	At, Annotation, Value Span
}

// Assigns parses a statement that binds exactly one plain name; ok is false for every other statement.
func (f *File) Assigns(s Span) (a Assignment, ok bool) {
	p := exprParser{scanner{text: f.Text}, 0}
	end := int(s.End)
	a.Name = p.word(int(s.Start))
	a.At = Span{s.Start, s.Start + uint32(len(a.Name))}
	i := p.blank(int(a.At.End))
	if a.Name == "" || i >= end {
		return a, false
	}
	if f.Text[i] == ':' {
		start := p.space(i + 1)
		if start >= end {
			return a, false
		}
		at, _ := p.expr(start, end)
		a.Annotation = Span{uint32(start), uint32(p.trimEnd(start, at))}
		if at >= end {
			return a, true
		}
		i = at
	}
	if f.Text[i] != '=' || i+1 < end && f.Text[i+1] == '=' {
		return a, false
	}
	start := p.space(i + 1)
	if start >= end {
		return a, false
	}
	at, stop := p.expr(start, end)
	for stop == ',' {
		at, stop = p.expr(at+1, end)
	}
	if stop != 0 {
		return a, false
	}
	a.Value = Span{uint32(start), uint32(end)}
	return a, true
}

// Targets is the part of a statement before its last `=` outside brackets, which is what an assignment of any form binds; ok is false
// for a statement without one.
func (f *File) Targets(s Span) (targets Span, ok bool) {
	p := exprParser{scanner{text: f.Text}, 0}
	end, last := int(s.End), -1
	for i := int(s.Start); i < end; {
		at, stop := p.expr(i, end)
		if stop == '=' {
			last = at
		}
		i = at + 1
	}
	if last < 0 {
		if text := f.Of(s); strings.Contains(text, "<<=") || strings.Contains(text, ">>=") {
			return s, true
		}
		return Span{}, false
	}
	return Span{s.Start, uint32(last)}, true
}
