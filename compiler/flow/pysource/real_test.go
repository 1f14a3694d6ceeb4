//go:build real

// The proof of the reader: CPython's own ast, asked about every file of its standard library.

package pysource

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"sort"
	"strings"
	"testing"
)

// python is the interpreter to compare with: $PYTHON, else that of the pinned Prefect, else python3.11.
func python(tb testing.TB) string {
	home, _ := os.UserHomeDir()
	for _, p := range []string{os.Getenv("PYTHON"), filepath.Join(home, ".cache/prefect-oracle/p3/bin/python"), "python3.11"} {
		if p == "" {
			continue
		}
		if found, err := exec.LookPath(p); err == nil {
			return found
		}
	}
	tb.Fatal("no Python to compare with: set PYTHON")
	return ""
}

func library(tb testing.TB) string {
	out, err := exec.Command(python(tb), "-c", "import os; print(os.path.dirname(os.__file__))").Output()
	if err != nil {
		tb.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func TestSameAsAST(t *testing.T) {
	folder := os.Getenv("PYSOURCE_FOLDER")
	if folder == "" {
		folder = library(t)
	}
	cmd := exec.Command(python(t), "testdata/declarations.py", folder)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	files, functions, rejected, unread := 0, 0, 0, 0
	in := bufio.NewReaderSize(out, 1<<20)
	for {
		row, err := in.ReadBytes('\n')
		if err != nil {
			break
		}
		var want struct {
			Path, Error string
			Functions   []any
		}
		if err := json.Unmarshal(row, &want); err != nil {
			t.Fatal(err)
		}
		if want.Error != "" {
			rejected++
			continue
		}
		src, err := os.ReadFile(want.Path)
		if err != nil {
			t.Fatal(err)
		}
		f := Read(src)
		if len(f.Faults) > 0 {
			line, column := f.Position(f.Faults[0].Offset)
			t.Errorf("%s:%d:%d: reported as a fault, but CPython accepts it: %s", want.Path, line, column, f.Faults[0].Message)
		}
		got, unknown := seen(f)
		unread += unknown
		files++
		functions += len(want.Functions)
		if len(got) != len(want.Functions) {
			t.Errorf("%s: %d functions, ast has %d (%s)", want.Path, len(got), len(want.Functions), f.Unsure)
		}
		for i := range min(len(got), len(want.Functions)) {
			if !reflect.DeepEqual(got[i], want.Functions[i]) {
				t.Errorf("%s (%s):\n got %q\nwant %q", want.Path, f.Unsure, got[i], want.Functions[i])
				break
			}
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d functions in %d files; %d files that CPython itself rejects; %d docstrings that use Unicode names", functions, files, rejected, unread)
	if functions < 1000 && os.Getenv("PYSOURCE_FOLDER") == "" {
		t.Errorf("only %d functions compared", functions)
	}
}

// seen puts a file's functions into the shape of testdata/declarations.py, as JSON would give it.
func seen(f *File) (all []any, unknown int) {
	text := func(s Span) any {
		if s.Empty() {
			return nil
		}
		return f.Of(s)
	}
	defs := append([]Def{}, f.Defs...)
	sort.SliceStable(defs, func(i, j int) bool { return defs[i].Start < defs[j].Start })
	for _, d := range defs {
		if d.Kind != Function {
			continue
		}
		decorators, params := []any{}, []any{}
		for _, s := range f.Decorators[d.Decorators.Lo:d.Decorators.Hi] {
			decorators = append(decorators, f.Of(s))
		}
		for _, p := range f.Params[d.Params.Lo:d.Params.Hi] {
			params = append(params, []any{float64(p.Kind), f.Of(p.Name), text(p.Annotation), text(p.Default)})
		}
		line, _ := f.Position(d.Start)
		var doc any
		if value, ok, reason := f.DocString(d.Doc); reason != "" {
			unknown++
		} else if ok {
			doc = value
			for i := 0; i+1 < len(value); i++ {
				if value[i] == 0xed && value[i+1] >= 0xa0 {
					list := []any{}
					for _, c := range []byte(value) {
						list = append(list, float64(c))
					}
					doc = map[string]any{"surrogates": list}
					break
				}
			}
		}
		all = append(all, []any{f.Of(d.Name), float64(line), decorators, params, doc, text(d.Returns)})
	}
	return all, unknown
}

func BenchmarkStandardLibrary(b *testing.B) {
	var files [][]byte
	size := 0
	err := filepath.WalkDir(library(b), func(path string, d os.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".py") {
			src, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			files = append(files, src)
			size += len(src)
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for _, src := range files {
			Read(src)
		}
	}
}
