// What the server refused, said in one line. An answer can hold what was sent (Prefect's 422 repeats the whole body, and a body
// holds job variables), so only the parts that name the fault are taken, control characters never reach a terminal, and no header
// is ever part of an error.
package prefect

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// maxDetail bounds how much of a server's text an error repeats, in characters.
const maxDetail = 600

// Error is an answer with a status of 400 and above.
type Error struct {
	// Method and Path are of the request: "PATCH", "/deployments/0b6f…".
	Method, Path string
	Status       int
	// Detail is the server's own explanation in one line, "" without one.
	Detail string
	// Attempts counts how often the request was sent.
	Attempts int
	// Login is the setting that the request's login came from, "" without one.
	Login string
}

// login names the setting that gives the login, in the order in which New takes them.
func login(c Config) string {
	for _, h := range c.Headers {
		if strings.EqualFold(h.Name, "Authorization") && h.Value != "" {
			return "the Authorization of PREFECT_CLIENT_CUSTOM_HEADERS"
		}
	}
	switch {
	case c.AuthString != "":
		return "PREFECT_API_AUTH_STRING"
	case c.APIKey != "":
		return "PREFECT_API_KEY"
	}
	return ""
}

func (e *Error) Error() string {
	text := fmt.Sprintf("%s %s: %d %s", e.Method, e.Path, e.Status, http.StatusText(e.Status))
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	if e.Status == http.StatusUnauthorized && e.Login != "" {
		text += " (the server does not take " + e.Login + ": look whether it is this server's, and still valid)"
	} else if hint := statusHints[e.Status]; hint != "" {
		text += " (" + hint + ")"
	}
	if e.Attempts > 1 {
		text += fmt.Sprintf(", after %d attempts", e.Attempts)
	}
	return text
}

var statusHints = map[int]string{
	http.StatusUnauthorized: "set PREFECT_API_KEY, or for a server with basic authentication PREFECT_API_AUTH_STRING",
	http.StatusForbidden:    "the key or the user may not do this",
}

// StatusOf is the status of a server's refusal anywhere in err, 0 if there is none.
func StatusOf(err error) int {
	var e *Error
	if errors.As(err, &e) {
		return e.Status
	}
	return 0
}

// detail takes the explanation out of an answer's body. Prefect writes {"detail": "…"} or, for a body that its models refuse,
// {"exception_message": "…", "exception_detail": [{"loc": […], "msg": "…", "input": …}], "request_body": …}.
func detail(body []byte) string {
	v, err := value.FromJSON(body)
	if err != nil {
		return plainDetail(string(body))
	}
	if v.Kind == value.Text {
		return oneLine(v.Text)
	}
	for _, key := range []string{"exception_detail", "detail"} {
		if d, ok := v.Get(key); ok {
			if text := explain(d); text != "" {
				return oneLine(text)
			}
		}
	}
	message, _ := v.Get("exception_message")
	return oneLine(message.Text)
}

// explain turns a detail into text: a text is itself, a list of faults is "body.tags: Input should be a valid list; …".
func explain(d value.Value) string {
	if d.Kind == value.Text {
		return d.Text
	}
	var parts []string
	for _, item := range d.List {
		if item.Kind == value.Text {
			parts = append(parts, item.Text)
			continue
		}
		loc, _ := item.Get("loc")
		msg, _ := item.Get("msg")
		var path []string
		for _, step := range loc.List {
			path = append(path, step.Str())
		}
		parts = append(parts, strings.TrimPrefix(strings.Join(path, ".")+": "+msg.Text, ": "))
	}
	return strings.Join(parts, "; ")
}

func plainDetail(text string) string {
	if isHTML(text) {
		return "the answer is a web page, not Prefect's: is PREFECT_API_URL right? (it usually ends in /api)"
	}
	return oneLine(text)
}

func isHTML(text string) bool {
	start := strings.ToLower(strings.TrimSpace(text[:min(len(text), 512)]))
	return strings.HasPrefix(start, "<!doctype") || strings.HasPrefix(start, "<html")
}

// oneLine makes foreign text fit for a terminal: one line, no control characters or invisible ones, a bounded length.
func oneLine(text string) string {
	var b strings.Builder
	n, gap := 0, false
	for _, r := range text {
		if unicode.IsSpace(r) || !unicode.IsPrint(r) {
			gap = b.Len() > 0
			continue
		}
		if n++; n > maxDetail {
			b.WriteString("…")
			break
		}
		if gap {
			b.WriteByte(' ')
			gap = false
		}
		b.WriteRune(r)
	}
	return b.String()
}
