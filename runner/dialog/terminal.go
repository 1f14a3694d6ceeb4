// Package dialog asks on a terminal what a command line left out: which deployments, or what a deployment of a flow is that has no entry yet.
//
// It is a dialogue of lines: a numbered list, and an answer that is typed and sent with Enter. A list to move about in with arrow keys needs a terminal in raw mode, which
// has to be put back in order after each way out, redraws what does not fit, and cannot be read aloud or kept in a scroll-back. Lines work in 40 columns, over any
// connection, without colour, and Ctrl-C stays what it is: a signal. What is asked goes to stderr, so that stdout holds results alone.
//
// Questions only return answers. Nothing here writes a file or asks a server.
package dialog

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/org/prefect-deploy-action/compiler/diag"
)

// ErrCancelled is the answer of somebody who left: Ctrl-C, or the end of input.
var ErrCancelled = errors.New("cancelled")

// Terminal is where questions go and answers come from.
type Terminal struct {
	in  *bufio.Reader
	out io.Writer
	// size is how many columns and rows there are now.
	size   func() (columns, rows int)
	colour bool
}

// New is a terminal; size may be nil for 80 columns and 24 rows.
func New(in io.Reader, out io.Writer, size func() (columns, rows int), colour bool) *Terminal {
	if size == nil {
		size = func() (int, int) { return 80, 24 }
	}
	return &Terminal{bufio.NewReader(in), out, size, colour}
}

func (t *Terminal) columns() int { c, _ := t.size(); return max(c, 20) }

// Say prints a text, wrapped between words. Its line feeds stay.
func (t *Terminal) Say(format string, a ...any) {
	for _, line := range strings.Split(fmt.Sprintf(format, a...), "\n") {
		fmt.Fprintln(t.out, strings.Join(wrap(diag.Clean(line), t.columns()), "\n"))
	}
}

// Block prints lines as they are: wrapped lines of a file could not be told from its own.
func (t *Terminal) Block(text string) { fmt.Fprint(t.out, diag.CleanLines(text)) }

func (t *Terminal) style(code, text string) string {
	if !t.colour || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (t *Terminal) bold(text string) string { return t.style("1", text) }
func (t *Terminal) dim(text string) string  { return t.style("2", text) }

// read asks for a line: the question stands before the cursor, wrapped.
func (t *Terminal) read(ctx context.Context, question string) (string, error) {
	lines := wrap(diag.Clean(question), t.columns()-1)
	for i, l := range lines {
		lines[i] = t.bold(l)
	}
	fmt.Fprint(t.out, strings.Join(lines, "\n"), " ")
	type answer struct {
		text string
		err  error
	}
	got := make(chan answer, 1)
	go func() { // a read of a terminal can't be called off; the program ends when the context does
		text, err := t.in.ReadString('\n')
		got <- answer{text, err}
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(t.out)
		return "", ErrCancelled
	case a := <-got:
		if a.err != nil || ctx.Err() != nil {
			fmt.Fprintln(t.out)
			return "", ErrCancelled
		}
		return strings.TrimSpace(a.text), nil
	}
}

// Text asks for a text until check, which may be nil, accepts it. An empty answer is the given one, where that is not "".
func (t *Terminal) Text(ctx context.Context, question, given string, check func(string) error) (string, error) {
	prompt := question
	if given != "" {
		prompt += " [" + given + "]"
	}
	for {
		text, err := t.read(ctx, prompt+":")
		if err != nil {
			return "", err
		}
		if text == "" {
			text = given
		}
		if text == "" {
			continue
		}
		if check != nil {
			if err := check(text); err != nil {
				t.Say("%v", err)
				continue
			}
		}
		return text, nil
	}
}

// Confirm asks for yes or no; yes is what an empty answer means.
func (t *Terminal) Confirm(ctx context.Context, question string, yes bool) (bool, error) {
	choices := " [y/N]"
	if yes {
		choices = " [Y/n]"
	}
	for {
		text, err := t.read(ctx, question+choices)
		if err != nil {
			return false, err
		}
		switch strings.ToLower(text) {
		case "":
			return yes, nil
		case "y", "yes":
			return true, nil
		case "n", "no":
			return false, nil
		}
		t.Say("Type y or n.")
	}
}

// wrap breaks a line between words; a word that is too long stands alone, broken where it must be.
func wrap(text string, columns int) []string {
	columns = max(columns, 10)
	indent := text[:len(text)-len(strings.TrimLeft(text, " "))]
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		for utf8.RuneCountInString(indent)+utf8.RuneCountInString(word) > columns {
			if line != "" {
				lines, line = append(lines, indent+line), ""
			}
			cut := string([]rune(word)[:max(columns-len(indent), 1)])
			lines, word = append(lines, indent+cut), word[len(cut):]
		}
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(indent)+utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= columns:
			line += " " + word
		default:
			lines, line = append(lines, indent+line), word
		}
	}
	if line != "" || len(lines) == 0 {
		lines = append(lines, indent+line)
	}
	return lines
}
