// Package pysource reads what a Python file declares - functions with their decorators, parameters and docstrings, classes, imports
// and the statements of modules and classes - without running Python and without reading more than it must.
//
// It is no parser of Python. A parser of the whole grammar spends nearly all its time on function bodies, of which nobody here wants
// to know anything but where they end. So the reader walks logical lines: it knows strings, brackets, comments and indentation
// exactly, looks at the first word of a line, reads the headers of `def` and `class` in full, and skips the rest byte by byte.
// Python guarantees that this is enough: `def`, `class` and `@` can only begin a logical line. Expressions that matter (annotations,
// defaults, decorators, constants) are kept as source text and parsed on demand by ParseExpr.
//
// Everything found is kept as offsets into the text, in a few flat slices, so that reading a file costs a handful of allocations.
package pysource

import (
	"bytes"
	"sort"
	"strings"
	"sync"
	"unicode/utf8"
)

// Span is a half-open range of byte offsets in File.Text. The zero Span means "not there".
type Span struct{ Start, End uint32 }

// Empty reports whether there is nothing in the span.
func (s Span) Empty() bool { return s.End <= s.Start }

// Kind tells functions from classes.
type Kind uint8

// The two kinds of definition.
const (
	Function Kind = iota
	Class
)

// ParamKind is how a parameter takes its argument; the names are those of Python's inspect.
type ParamKind uint8

// The five kinds, in the order in which they can stand.
const (
	PositionalOnly ParamKind = iota
	PositionalOrKeyword
	VarPositional
	KeywordOnly
	VarKeyword
)

// Param is one parameter of a function. Annotation and Default are spans of their expression, without parentheses that change
// nothing, as Python's ast.get_source_segment gives them.
type Param struct {
	Name, Annotation, Default Span
	Kind                      ParamKind
}

// Range is a half-open range of indices into one of File's slices.
type Range struct{ Lo, Hi uint32 }

// Def is a function or class, wherever it stands.
type Def struct {
	Kind       Kind
	Async      bool
	Name       Span
	Start      uint32 // offset of `def`, `class` or `async`
	Parent     int32  // index in File.Defs of the enclosing definition, -1 at module level
	Block      int32  // index in File.Blocks of the innermost if, try, for, … around it within Parent, or -1
	Decorators Range  // in File.Decorators
	Params     Range  // in File.Params
	Bases      Span   // a class's arguments, between its parentheses
	Returns    Span   // a function's annotation behind ->
	Doc        Span   // the statement that is the docstring, or empty
}

// StatementKind tells what Statement holds.
type StatementKind uint8

// Only imports and definitions are told apart; a Simple statement is looked at when somebody asks.
const (
	Simple StatementKind = iota
	Import
	Definition
)

// Statement is a statement directly in a module or class, or in a block of one. Statements inside functions are not kept.
type Statement struct {
	Kind StatementKind
	Span Span
	Def  int32 // of a Definition: index in File.Defs
	In   int32 // index in File.Defs of the class it stands in, -1 in the module
	// Block is the index in File.Blocks of the innermost block around it, or -1.
	Block int32
}

// Block is a compound statement other than a definition: if, else, try, for, with, match, case, ….
type Block struct {
	Keyword string // the first word: "if", "elif", "else", "try", "except", …
	Header  Span   // from the keyword up to and without the colon
	In      int32  // index in File.Defs of the class around it, -1 in the module
	Parent  int32  // index of the block around it, or -1
	Before  int32  // for elif, else, except, finally: index of the block of the same statement before it, or -1
}

// Fault is something that no version of Python accepts. Only certain faults are reported: the reader skips over most of the
// grammar, and what it does not read it does not judge.
type Fault struct {
	Offset  uint32
	Message string
}

// File is what one Python file declares. It is not changed after Read and safe for concurrent use.
type File struct {
	Text       string // decoded, without byte order mark, every line ending in "\n" only
	Defs       []Def
	Decorators []Span
	Params     []Param
	Statements []Statement
	Blocks     []Block
	Doc        Span // the module's docstring statement
	Faults     []Fault
	Unsure     string // when not empty: why the text may have been read wrongly (an encoding that is not known here)

	once  sync.Once
	lines []uint32
}

// Of returns the text of a span.
func (f *File) Of(s Span) string { return f.Text[s.Start:s.End] }

// Position gives the line and column of an offset, both from 1; columns count characters.
func (f *File) Position(offset uint32) (line, column int) {
	f.once.Do(func() {
		f.lines = append(make([]uint32, 0, strings.Count(f.Text, "\n")+1), 0)
		for i := 0; i < len(f.Text); i++ {
			if f.Text[i] == '\n' {
				f.lines = append(f.lines, uint32(i)+1)
			}
		}
	})
	i := sort.Search(len(f.lines), func(i int) bool { return f.lines[i] > offset }) - 1
	return i + 1, utf8.RuneCountInString(f.Text[f.lines[i]:offset]) + 1
}

// maxSize bounds what is read; offsets are 32 bits wide, and no flow is that large.
const maxSize = 256 << 20

// decode turns a file's bytes into text as Python does: byte order mark, coding cookie (PEP 263), universal newlines.
func decode(src []byte) (text string, fault, unsure string) {
	if len(src) > maxSize {
		return "", "", "the file is larger than 256 MB"
	}
	bom := bytes.HasPrefix(src, []byte("\xef\xbb\xbf"))
	if bom {
		src = src[3:]
	}
	if i := bytes.IndexByte(src, 0); i >= 0 {
		fault = "source code cannot contain null bytes"
	}
	if bytes.IndexByte(src, '\r') >= 0 {
		src = bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n"))
		src = bytes.ReplaceAll(src, []byte("\r"), []byte("\n"))
	}
	switch name := cookie(src); {
	case bom || name == "" || name == "utf-8" || strings.HasPrefix(name, "utf-8-"):
		if fault == "" && !utf8.Valid(src) {
			fault = "the file is not valid UTF-8 and declares no other encoding"
		}
		return string(src), fault, ""
	case ascii(src):
		return string(src), fault, multiByte(name)
	case name == "iso-8859-1" || name == "iso-8859-15" || name == "koi8-r":
		return singleByte(src, name), fault, ""
	default:
		return singleByte(src, ""), fault, "the file's encoding " + name + " is not known here"
	}
}

// cookie finds the encoding that one of the first two lines declares, in its usual spelling, or "".
func cookie(src []byte) string {
	for range 2 {
		line, rest, _ := bytes.Cut(src, []byte("\n"))
		t := bytes.TrimLeft(line, " \t\f")
		if len(t) > 0 && t[0] != '#' {
			return ""
		}
		if name := declared(t); name != "" {
			return name
		}
		src = rest
	}
	return ""
}

func declared(comment []byte) string {
	for {
		i := bytes.Index(comment, []byte("coding"))
		if i < 0 {
			return ""
		}
		comment = comment[i+len("coding"):]
		if len(comment) == 0 || comment[0] != ':' && comment[0] != '=' {
			continue
		}
		t := bytes.TrimLeft(comment[1:], " \t")
		n := 0
		for n < len(t) && (isIdent(t[n]) || t[n] == '-' || t[n] == '.') {
			n++
		}
		if n > 0 {
			return usual(strings.ReplaceAll(strings.ToLower(string(t[:n])), "_", "-"))
		}
	}
}

// usual maps an encoding's spellings onto one; Python knows many more aliases, which then count as unknown here.
func usual(name string) string {
	switch {
	case name == "utf8" || name == "utf-8" || name == "u8":
		return "utf-8"
	case name == "latin-1" || name == "latin1" || name == "iso-latin-1" || name == "iso-8859-1" || name == "l1" || name == "iso8859-1" ||
		strings.HasPrefix(name, "latin-1-") || strings.HasPrefix(name, "iso-8859-1-"):
		return "iso-8859-1"
	case name == "iso8859-15" || name == "latin-9" || name == "l9":
		return "iso-8859-15"
	case name == "us-ascii" || name == "646":
		return "ascii"
	}
	return name
}

// multiByte names the doubt for encodings in which bytes below 128 may be half of a character.
func multiByte(name string) string {
	switch {
	case name == "ascii" || strings.HasPrefix(name, "iso-8859") || strings.HasPrefix(name, "cp125") || strings.HasPrefix(name, "koi8"):
		return ""
	}
	if name == "cp437" || name == "mac-roman" || strings.HasPrefix(name, "windows-125") || strings.HasPrefix(name, "gb") || strings.HasPrefix(name, "euc") {
		return ""
	}
	return "the file's encoding " + name + " is not known here"
}

func ascii(src []byte) bool {
	for _, c := range src {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// koi8r is the upper half of KOI8-R, the one national encoding that Python's own library still uses in a module.
const koi8r = "─│┌┐└┘├┤┬┴┼▀▄█▌▐░▒▓⌠■∙√≈≤≥\u00a0⌡°²·÷═║╒ё╓╔╕╖╗╘╙╚╛╜╝╞╟╠╡Ё╢╣╤╥╦╧╨╩╪╫╬©" +
	"юабцдефгхийклмнопярстужвьызшэщчъЮАБЦДЕФГХИЙКЛМНОПЯРСТУЖВЬЫЗШЭЩЧЪ"

func singleByte(src []byte, encoding string) string {
	var upper []rune
	if encoding == "koi8-r" {
		upper = []rune(koi8r)
	}
	var b strings.Builder
	b.Grow(len(src) + len(src)/8)
	for _, c := range src {
		switch {
		case c < utf8.RuneSelf:
			b.WriteByte(c)
		case upper != nil:
			b.WriteRune(upper[c-128])
		case encoding == "iso-8859-15" && latin9(c) != 0:
			b.WriteRune(latin9(c))
		case encoding == "":
			b.WriteRune(utf8.RuneError)
		default:
			b.WriteRune(rune(c))
		}
	}
	return b.String()
}

// latin9 gives the eight characters in which ISO 8859-15 differs from ISO 8859-1.
func latin9(c byte) rune {
	switch c {
	case 0xa4:
		return '€'
	case 0xa6:
		return 'Š'
	case 0xa8:
		return 'š'
	case 0xb4:
		return 'Ž'
	case 0xb8:
		return 'ž'
	case 0xbc:
		return 'Œ'
	case 0xbd:
		return 'œ'
	case 0xbe:
		return 'Ÿ'
	}
	return 0
}
