package pysource

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// text gives the parts of a function as one line, for short expectations. The expectations are what CPython's ast says; the real
// test compares with it on whole libraries.
func text(f *File, i int) string {
	d := f.Defs[i]
	var b strings.Builder
	for _, s := range f.Decorators[d.Decorators.Lo:d.Decorators.Hi] {
		fmt.Fprintf(&b, "@%s ", f.Of(s))
	}
	fmt.Fprintf(&b, "%s(", f.Of(d.Name))
	for _, p := range f.Params[d.Params.Lo:d.Params.Hi] {
		fmt.Fprintf(&b, "%d %s:%s=%s;", p.Kind, f.Of(p.Name), f.Of(p.Annotation), f.Of(p.Default))
	}
	b.WriteString(")")
	if !d.Returns.Empty() {
		b.WriteString("->" + f.Of(d.Returns))
	}
	if doc, ok, _ := f.DocString(d.Doc); ok {
		fmt.Fprintf(&b, " %q", doc)
	}
	return b.String()
}

func TestRead(t *testing.T) {
	for _, c := range []struct{ source, want string }{
		{"def f(): pass", "f()"},
		{"def f(a, /, b: int = 1, *args: *Ts, c=2, **kw: str) -> dict[str, int]: ...", "f(0 a:=;1 b:int=1;2 args:*Ts=;3 c:=2;4 kw:str=;)->dict[str, int]"},
		{"def f(a=(1), b=(1, 2), c=(x for x in y), d=((1)), e=(), f=(lambda x, y: 1)): pass", "f(1 a:=1;1 b:=(1, 2);1 c:=(x for x in y);1 d:=1;1 e:=();1 f:=lambda x, y: 1;)"},
		{"def f(a=lambda x, *y, z=1: (x, y), b={1: 2}): pass", "f(1 a:=lambda x, *y, z=1: (x, y);1 b:={1: 2};)"},
		{"def f(a: 'x' = 1 == 2, b = x if y else z): pass", "f(1 a:'x'=1 == 2;1 b:=x if y else z;)"},
		{"def f[T: (int, str), *U](a: T): 'doc'", "f(1 a:T=;) \"doc\""},
		{"async  def f(\n  a, # , b\n  b\n  ,\n):\n  # c\n\n  r'''d\\n''' \"e\\n\"\n", "f(1 a:=;1 b:=;) \"d\\\\ne\\n\""},
		{"@ a.b ( 'x' ) # c\n@(c)\n\n# d\ndef f(): pass", "@a.b ( 'x' ) @c f()"},
		{"def f(): f'{1}'", "f()"},
		{"def f(): b'x'", "f()"},
		{"def f(): 'a' % b", "f()"},
		{"def f(): 'a'; x", "f() \"a\""},
		{"def f():\n  ('a'\n   'b')\n", "f() \"ab\""},
		{"x = f'{a[\"b\"]!r:{w}}' 'def g(): pass'\ndef f(): pass", "f()"},
		{"x = f\"{a[\"b\"]}\"\ndef f(): pass", "f()"},
		{"x = f'{{' f'{ {1: 2}[1] }' f'{x:%H:%M}' f'{x!=y}' f'\\N{BULLET}{x}' rf'\\{x}'\ndef f(): pass", "f()"},
		{"x = '''\ndef g(): pass\n'''\ndef f(): pass", "f()"},
		{"x = (1,\ndef_ := 2)\nif x:\n\tdef f(): pass", "f()"},
		{"\xef\xbb\xbfdef f(): pass\r\nx\r", "f()"},
		{"# coding: latin-1\ndef f(a='\xe9'): pass", "f(1 a:='é';)"},
		{"\f\ndef f(): pass", "f()"},
		{"class A(B, metaclass=C): x = 1; y = 2\ndef f(): pass", "f()"},
		{"match x:\n  case 1:\n    def f(): pass", "f()"},
		{"match = case = type = 1\ndef f(): pass", "f()"},
		{"def f(a=1 if x else lambda: 2, b: 'c'=3,): pass", "f(1 a:=1 if x else lambda: 2;1 b:'c'=3;)"},
		{"\\\ndef f(): pass", "f()"},
	} {
		f := Read([]byte(c.source))
		if len(f.Faults) > 0 {
			t.Errorf("%q: %+v", c.source, f.Faults)
			continue
		}
		got := "no function"
		for i, d := range f.Defs {
			if d.Kind == Function {
				got = text(f, i)
			}
		}
		if got != c.want {
			t.Errorf("%q:\n got %s\nwant %s", c.source, got, c.want)
		}
	}
}

func TestFaults(t *testing.T) {
	for _, c := range []struct {
		source string
		line   int
	}{
		{"def f(a: int = 1:\n    pass\n", 1}, {"x = (1,\ny = 2\n", 1}, {"x = 1)\n", 1}, {"x = (1]\n", 1}, {"x = 'abc\n", 1}, {"x = '''abc\n", 1},
		{"if x:\n    a\n  b\n", 3}, {"x = 1\x00\n", 1}, {"x = '\xff'\n", 1}, {"def f(a b): pass\n", 1}, {"x = f'{a'\n", 1}, {"\ndef f()\n    pass\n", 2},
	} {
		f := Read([]byte(c.source))
		if len(f.Faults) == 0 {
			t.Errorf("%q: no fault", c.source)
			continue
		}
		if line, _ := f.Position(f.Faults[0].Offset); line != c.line {
			t.Errorf("%q: fault in line %d, not %d: %s", c.source, line, c.line, f.Faults[0].Message)
		}
	}
}

func TestStatements(t *testing.T) {
	const source = `"""Doc."""
import a.b, c as d
from .x import (y,
    z as w)
from t import *
N: int = 1
if TYPE_CHECKING: import e; F = 1
else:
    G = 2
class C(D):
    H = 3
    def m(self):
        I = 4
`
	f := Read([]byte(source))
	var got []string
	for _, s := range f.Statements {
		got = append(got, fmt.Sprintf("%d in %d block %d: %s", s.Kind, s.In, s.Block, strings.Fields(f.Of(s.Span))[0]))
	}
	want := []string{"0 in -1 block -1: \"\"\"Doc.\"\"\"", "1 in -1 block -1: import", "1 in -1 block -1: from", "1 in -1 block -1: from", "0 in -1 block -1: N:",
		"1 in -1 block 0: import", "0 in -1 block 0: F", "0 in -1 block 1: G", "2 in -1 block -1: class", "0 in 0 block -1: H", "2 in 0 block -1: def"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	imports := fmt.Sprint(f.Imports(f.Statements[1].Span), f.Imports(f.Statements[2].Span), f.Imports(f.Statements[3].Span))
	if imports != "[{a.b 0  a true} {c 0  d false}] [{x 1 y y false} {x 1 z w false}] [{t 0 *  false}]" {
		t.Error(imports)
	}
	a, ok := f.Assigns(f.Statements[4].Span)
	if !ok || a.Name != "N" || f.Of(a.Annotation) != "int" || f.Of(a.Value) != "1" {
		t.Errorf("%+v", a)
	}
	if f.Blocks[1].Before != 0 || f.Of(f.Blocks[0].Header) != "if TYPE_CHECKING" {
		t.Errorf("%+v", f.Blocks)
	}
}

// corpus makes source of about the mix that flows have, from nothing but this function.
func corpus(size int) []byte {
	var b strings.Builder
	b.WriteString("\"\"\"Module.\"\"\"\nfrom prefect import flow, task\n\n")
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, `
@flow(name="flow-%d", retries=%d)
def run_%d(day: Optional[date] = None, region: Literal["eu", "us"] = "eu", limit: int = %d, *, tags: list[str] = []):
    """Load area %d.

    Args:
        day: the day to load
    """
    rows = [r for r in extract(day) if r["i"] not in (1, 2, 3)]  # keep
    if rows and limit > 3:
        print(f"area {len(rows)!r:>10} of {region['x']}", end='')
        text = '''several
        lines'''
    return {"rows": rows, "n": len(rows) * %d}
`, i, i%4, i, i, i, i)
	}
	return []byte(b.String())
}

func BenchmarkRead(b *testing.B) {
	for _, size := range []int{1500, 1 << 20} {
		src := corpus(size)
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			b.SetBytes(int64(len(src)))
			b.ReportAllocs()
			for b.Loop() {
				Read(src)
			}
		})
	}
}

// TestHostile feeds what would take quadratic time or deep recursion in a careless reader. It asserts no timing; a hang is the failure.
func TestHostile(t *testing.T) {
	n := 200_000
	for _, s := range []string{
		strings.Repeat("(", n), strings.Repeat("f'{", n), strings.Repeat("[", n) + strings.Repeat("]", n), "def f(a=" + strings.Repeat("(", n) + strings.Repeat(")", n) + "): pass",
		strings.Repeat("lambda ", n), "x = '" + strings.Repeat("\\", n), "'''" + strings.Repeat("\\'", n), strings.Repeat("@a\n", n), strings.Repeat("def f(", n), strings.Repeat("'", n),
		strings.Repeat("\"\"\"", n), "def f(" + strings.Repeat("a=lambda:0,", n) + "): pass", strings.Repeat("f'{x:{", n/10), strings.Repeat("if x:\n", 1000), strings.Repeat("\\\n", n),
		strings.Repeat("class A(", n), "def f(a: " + strings.Repeat("list[", n) + "int" + strings.Repeat("]", n) + "): pass", strings.Repeat("a;", n), strings.Repeat("f'''{", n), strings.Repeat("# coding", n),
	} {
		f := Read([]byte(s))
		for _, p := range f.Params {
			f.ParseExpr(p.Annotation)
			f.ParseExpr(p.Default)
		}
	}
	var b strings.Builder
	for i := range 2000 {
		b.WriteString(strings.Repeat(" ", i) + "if x:\n")
	}
	start := time.Now()
	Read([]byte(b.String()))
	t.Log(time.Since(start))
	for _, s := range []string{strings.Repeat("-", n), strings.Repeat("a.", n) + "b", strings.Repeat("a(", n), strings.Repeat("1+", n) + "1", strings.Repeat("2**", n) + "1", strings.Repeat("{1:", n), strings.Repeat("(1,", n), "'a'" + strings.Repeat(" 'b'", n)} {
		ParseText(s)
	}
}

func FuzzRead(f *testing.F) {
	seeds, _ := filepath.Glob("../testdata/flows/*.py")
	for _, s := range seeds {
		data, err := os.ReadFile(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("@a\nasync def f[T](a: int = (1), *b, c=lambda x: x, **d) -> int:\n\t'''doc'''\n"))
	f.Add([]byte("x = f'{a!r:{b}}' rf\"\"\"{c}\\{d}\"\"\"\nif x: import y; z: int = 3\n"))
	f.Add([]byte("# coding: koi8-r\nclass A(B): 'x'\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		file := Read(src)
		n := uint32(len(file.Text))
		inside := func(s Span) {
			if s.Start > s.End || s.End > n {
				t.Fatalf("a span outside the text: %+v of %d", s, n)
			}
		}
		for _, d := range file.Defs {
			inside(d.Name)
			inside(d.Bases)
			inside(d.Doc)
			file.DocString(d.Doc)
			file.ParseExpr(d.Returns)
		}
		for _, p := range file.Params {
			for _, s := range []Span{p.Name, p.Annotation, p.Default} {
				inside(s)
				file.ParseExpr(s)
			}
		}
		for _, s := range file.Decorators {
			inside(s)
			file.ParseExpr(s)
		}
		for _, s := range file.Statements {
			inside(s.Span)
			file.Imports(s.Span)
			file.Targets(s.Span)
			if a, ok := file.Assigns(s.Span); ok {
				inside(a.Value)
				file.ParseExpr(a.Value)
			}
		}
		for _, x := range file.Faults {
			file.Position(x.Offset)
		}
		ParseText(string(src))
	})
}
