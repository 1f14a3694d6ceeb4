// The terminal that questions go to. They are asked on stderr and answered on stdin, so both have to be one; and where CI is set nobody sits in front of it, whatever it looks like.
package cli

import (
	"os"

	"golang.org/x/term"

	"github.com/org/prefect-deploy-action/runner/dialog"
)

// Terminal is where to ask, nil where nobody can be.
func Terminal(w World) *dialog.Terminal {
	in, isFile := w.Stdin.(*os.File)
	ci, _ := w.Env("CI")
	out := Screen(w.Stderr)
	if ci != "" || out == nil || !isFile || !term.IsTerminal(int(in.Fd())) {
		return nil
	}
	return dialog.New(in, out, func() (int, int) { return Window(out) }, Colour(w))
}

// Screen is the terminal that a stream is, nil where it is none.
func Screen(stream any) *os.File {
	f, isFile := stream.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return f
}

// Window is how many columns and rows a terminal has now; 80 and 24 where it does not say.
func Window(f *os.File) (columns, rows int) {
	columns, rows, err := term.GetSize(int(f.Fd()))
	if err != nil || columns == 0 {
		return 80, 24
	}
	return columns, rows
}

// Colour tells whether somebody who has a terminal wants colours on it.
func Colour(w World) bool {
	_, plain := w.Env("NO_COLOR")
	kind, _ := w.Env("TERM")
	return !plain && kind != "dumb"
}
