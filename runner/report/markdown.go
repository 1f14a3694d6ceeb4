// Text in Markdown that nobody can turn into anything else. A deployment's name, a value or a server's error may hold HTML, a link, an image, a mention that wakes a whole
// team, a reference that writes into another issue, the end of a table's cell or of a fence.
//
// GitHub looks for mentions and references in the finished page, after entities have become characters again, and skips only what stands in code. So entities alone help
// nothing: all such text stands in a code element, `like this` where that can't go wrong, else as <code> with everything but letters and digits written as entities (inside
// <code>, Markdown would still be read). A fence knows no entities; in it the two openings that other readers look for are written as visible escapes.
package report

import (
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/org/prefect-deploy-action/compiler/diag"
)

// longestName is how many characters of a name are shown in running text.
const longestName = 120

// Code is text as inline code, safe everywhere: in a paragraph, a table's cell, a link's text, a summary element. Empty text is nothing.
func Code(s string) string {
	s = diag.Clean(s)
	if s == "" {
		return ""
	}
	if strings.ContainsAny(s, "`<>&|\\") || strings.HasPrefix(s, " ") || strings.HasSuffix(s, " ") {
		return codeHTML(s)
	}
	return "`" + s + "`"
}

// codeHTML is the same as an element, for places where Markdown is not read.
func codeHTML(s string) string { return "<code>" + HTML(s) + "</code>" }

// HTML is text for use inside an element: everything but letters, digits and what means nothing is an entity. It still becomes a mention outside of code.
func HTML(s string) string {
	s = diag.Clean(s)
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == ' ', r == '/', r == '.', r == '-', r == ',', r == '=', r == '(', r == ')', r >= '0' && r <= '9', unicode.IsLetter(r):
			b.WriteRune(r)
		case r == '@': // an address of mail would become a link, also inside <code>, if it were text in one piece
			b.WriteString("<span>&#64;</span>")
		case r < 0x80:
			fmt.Fprintf(&b, "&#%d;", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// name is a name as code, cut where it would fill the page.
func name(s string) string { return Code(cut(s, longestName)) }

// cut shortens cleaned text to n characters.
func cut(s string, n int) string {
	s = diag.Clean(first(s, n+1)) // what is cleaned is no shorter
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return strings.TrimRight(string([]rune(s)[:n-1]), " ") + "…"
}

// first are the first n characters of a text, which may have a hundred million.
func first(s string, n int) string {
	for i := range s {
		if n--; n < 0 {
			return s[:i]
		}
	}
	return s
}

// prose is a sentence of ours with names of others in it: plain words stay, whatever else stands there is code. It is cut to a length that a reader bears.
func prose(s string) string {
	const most = 600
	words := whole(strings.Split(cut(s, most), " "))
	for i, w := range words {
		core := strings.TrimRight(w, ".,:;!?)")
		tail := w[len(core):]
		head := core[:len(core)-len(strings.TrimLeft(core, "("))]
		core = core[len(head):]
		if !plainWord(core) || (i == 0 && tail != "" && core != "" && core[0] <= '9') { // "1." would begin a list
			words[i] = head + Code(core) + tail
		}
	}
	return strings.Join(words, " ")
}

// whole joins the words of YAML to copy, key: {a: {b: c}}, into one.
func whole(words []string) (out []string) {
	for _, w := range words {
		n := len(out) - 1
		if n >= 0 && (strings.Count(out[n], "{") > strings.Count(out[n], "}") || strings.HasPrefix(w, "{") && strings.HasSuffix(out[n], ":")) {
			out[n] += " " + w
			continue
		}
		out = append(out, w)
	}
	return out
}

// plainWord reports whether a word means nothing to Markdown or a forge. A hyphen is none at the start or the end, nor before digits: GH-12 is a reference.
func plainWord(w string) bool {
	last := rune(0)
	for i, r := range w {
		switch {
		case unicode.IsLetter(r), r == '\'' && i > 0:
		case r >= '0' && r <= '9':
			if last == '-' {
				return false
			}
		case r == '.' && last >= '0' && last <= '9' && i < len(w)-1:
		case r == '-' && i > 0 && i < len(w)-1:
		case r == '→', r == '…':
		default:
			return false
		}
		last = r
	}
	return len(w) < 40 // a commit's full name would become a link
}

// Link is a label, already Markdown, that leads to a page. Without an address that is plainly a web page's it stays a label.
func Link(label, address string) string {
	if address = webAddress(address); address == "" {
		return label
	}
	return "[" + label + "](" + address + ")"
}

// webAddress is an http or https address that can stand in Markdown and HTML as it is, "" for any other.
func webAddress(s string) string {
	const most = 1000
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || len(s) > most || !utf8.ValidString(s) {
		return ""
	}
	var b strings.Builder
	for _, c := range []byte(u.String()) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte("()<>\"'`|\\", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

// Fence is a fence longer than any run of backticks in the text.
func Fence(s string) string { return strings.Repeat("`", max(3, longestRun(s)+1)) }

// fenced is a block of lines in a fence of a language.
func fenced(language, body string) string {
	body = strings.NewReplacer("<!--", `\x3c!--`, "]]>", `]]\x3e`).Replace(body)
	fence := Fence(body)
	return fence + language + "\n" + strings.TrimRight(body, "\n") + "\n" + fence + "\n"
}

func longestRun(s string) int {
	longest, run := 0, 0
	for i := 0; i < len(s); i++ {
		if s[i] == '`' {
			run++
			longest = max(longest, run)
		} else {
			run = 0
		}
	}
	return longest
}

// withoutLogin is an address as text, without the user and the password that some put into it (either may hold a slash).
func withoutLogin(s string) string {
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		return s
	}
	return scheme + "://" + rest[strings.LastIndexByte(rest, '@')+1:]
}
