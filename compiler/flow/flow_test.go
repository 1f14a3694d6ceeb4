package flow

import (
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
)

// project makes a project of files given as path, text, path, text, ….
func project(kv ...string) fstest.MapFS {
	m := fstest.MapFS{}
	for i := 0; i < len(kv); i += 2 {
		m[kv[i]] = &fstest.MapFile{Data: []byte(kv[i+1])}
	}
	return m
}

const imports = "from prefect import flow\nfrom typing import *\nimport typing\nfrom datetime import date\n"

// TestProblems has one row for each way in which an entrypoint can be wrong; Prefect refuses each of them.
func TestProblems(t *testing.T) {
	fsys := project("flows/hello.py", "from prefect import flow\n@flow\ndef hello_world():\n    pass\nclass Jobs:\n    @flow\n    def run_it(self): pass\ndef plain(): pass\nx = 3\n",
		"bad.py", "from prefect import flow\n@flow\ndef f(:\n", "pkg/__init__.py", "", "pkg/mod.py", "from prefect import flow\n@flow\ndef f(): pass\n")
	for _, c := range []struct {
		entrypoint, code, near string
		line                   int
	}{
		{"flows/helo.py:hello_world", MissingFile, "flows/hello.py", 0},
		{"nowhere/hello.py:hello_world", MissingFile, "", 0},
		{"flows/hello.py:helo_world", MissingFunction, "hello_world", 0},
		{"flows/hello.py:Jobs.run", MissingFunction, "", 5},
		{"flows/hello.py:Jobs.runit", MissingFunction, "run_it", 5},
		{"flows/hello.py:plain", NotAFlow, "", 8},
		{"flows/hello.py:Jobs", NotAFlow, "", 5},
		{"flows/hello.py:x", NotAFlow, "", 9},
		{"bad.py:f", Syntax, "", 3},
		{"flows/hello.py:", BadEntrypoint, "", 0},
		{"hello", BadEntrypoint, "", 0},
		{"flows/hello.py", BadEntrypoint, "", 0},
		{"", BadEntrypoint, "", 0},
		{"pkg.mood.f", MissingFile, "", 0},
		{"pkg.mod.g", MissingFunction, "f", 0},
	} {
		f, p := Load(fsys, c.entrypoint)
		if p == nil {
			t.Errorf("%q: accepted: %+v", c.entrypoint, f)
			continue
		}
		if p.Code != c.code || p.Near != c.near || p.Line != c.line || p.Message == "" || p.Help == "" {
			t.Errorf("%q: %+v", c.entrypoint, p)
		}
		if (c.code == MissingFile) != strings.HasPrefix(p.Code, "missing-") {
			t.Errorf("%q: %s", c.entrypoint, p.Code)
		}
	}
}

// TestUnsure has what cannot be judged from the source; none of it may be refused.
func TestUnsure(t *testing.T) {
	for _, c := range []struct{ source, object string }{
		{"from flows_package import ready", "ready"},
		{"from flows_package import *", "anything"},
		{"globals()['f'] = 1", "f"},
		{"def __getattr__(name): return 1", "f"},
		{"from own import make\n@make\ndef f(): pass", "f"},
		{"from own import make\nf = make()", "f"},
		{"if x:\n    from a import f\nelse:\n    from b import f", "f"},
		{"from own import base\nclass Jobs(base): pass", "Jobs.run"},
		{"from prefect import flow\nfrom own import traced\n@traced\n@flow\ndef f(): pass", "f"},
		{"# coding: shift_jis\ndef f(): pass", "g"},
	} {
		f, p := Load(project("flow.py", c.source), "flow.py:"+c.object)
		if p != nil {
			t.Errorf("%q: refused: %+v", c.source, p)
		} else if f.Unsure == "" {
			t.Errorf("%q: not unsure: %+v", c.source, f)
		}
	}
	for _, entrypoint := range []string{"other_package.flows.main", "../elsewhere/flow.py:f", "/somewhere/flow.py:f"} {
		if f, p := Load(project("flow.py", ""), entrypoint); p != nil || f.Unsure == "" {
			t.Errorf("%s: %+v %+v", entrypoint, f, p)
		}
	}
}

// TestUnknownParameters has annotations and defaults that a careless reader would take for what they look like.
func TestUnknownParameters(t *testing.T) {
	for _, c := range []struct{ before, parameter string }{
		{"from things import *", "a: int"},
		{"from things import int", "a: int"},
		{"try:\n    from pandas import X as int\nexcept ImportError:\n    pass", "a: int"},
		{"for list in []: pass", "a: list"},
		{"with open('x') as str: pass", "a: str"},
		{"def g():\n    global N\n    N = 2\nN = 1", "a=N"},
		{"N = [1]\nN.append(2)", "a=N"},
		{"N = [1]\nN += [2]", "a=N"},
		{"N = {}\nN['x'] = 1", "a=N"},
		{"(N := 1)", "a=N"},
		{"del str", "a: str"},
		{"if x:\n    N = 1", "a=N"},
		{"N, M = 1, 2", "a=N"},
		{"import enum\nclass E(enum.Enum):\n    A = compute()", "a: E"},
		{"import enum\n@enum.unique\nclass E(enum.Enum):\n    A = 1", "a: E"},
		{"import enum\nclass E(enum.Flag):\n    A = 1", "a: E"},
		{"import enum\nclass E(enum.Enum):\n    A = 1\n    if x:\n        B = 2", "a: E"},
		{"import enum\nclass E(int, enum.Enum):\n    A = 'x'", "a: E"},
		{"class C(metaclass=M): pass", "a: C"},
		{"class C:\n    def __get_pydantic_core_schema__(a, b, c): pass", "a: C"},
		{"class C(str): pass", "a: C"},
		{"import pandas as pd", "a: pd.DataFrame"},
		{"", "a: list[int, str]"}, {"", "a: dict[str]"}, {"", "a: int[str]"}, {"", "a: 1"}, {"", "a: 'int' | None"}, {"", "a=foo()"}, {"", "a=1 if x else 2"},
		{"type int = str", "a: int"},
	} {
		src := "from prefect import flow\n" + c.before + "\n@flow\ndef f(" + c.parameter + "):\n    pass\n"
		f, p := Load(project("flow.py", src), "flow.py:f")
		if p != nil {
			t.Errorf("%q: refused: %+v", src, p)
			continue
		}
		if len(f.Unknown) == 0 {
			t.Errorf("%q: %s", src, show(f.Schema))
		}
		for _, u := range f.Unknown {
			if u.Reason == "" {
				t.Errorf("%q: no reason", src)
			}
		}
	}
}

func TestPositions(t *testing.T) {
	const src = "from prefect import flow\n\n@flow(version='2')\ndef f(ä,\n      b: int = 1, *,\n      c: Unheard = None): pass\n"
	f, p := Load(project("x/flow.py", src), "x/flow.py:f")
	if p != nil {
		t.Fatal(p)
	}
	if f.Line != 4 || f.Column != 5 || f.File != "x/flow.py" || f.Version != "2" || !f.HasVersion || f.MD5 == "" {
		t.Errorf("%+v", f)
	}
	got := ""
	for _, p := range f.Parameters {
		got += fmt.Sprintf("%s %d:%d %s %q %v; ", p.Name, p.Line, p.Column, p.Kind, p.Annotation, p.Required)
	}
	if want := `ä 4:7 positional-or-keyword "" true; b 5:7 positional-or-keyword "int" false; c 6:7 keyword-only "Unheard" false; `; got != want {
		t.Errorf("got %s", got)
	}
}

// TestOnce checks that a Loader reads each file once, also for many at the same time.
func TestOnce(t *testing.T) {
	src := "from shared import LIMIT\nfrom prefect import flow\n@flow\ndef f(a: int = LIMIT): pass\n@flow\ndef g(): pass\n"
	counting := &counter{FS: project("flow.py", src, "shared.py", "LIMIT = 3\n"), opened: map[string]int{}}
	l := NewLoader(counting)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			f, p := l.Load("flow.py:" + []string{"f", "g"}[i%2])
			if p != nil || len(f.Unknown) > 0 {
				t.Errorf("%+v %+v", f, p)
			}
		})
	}
	wg.Wait()
	if counting.opened["flow.py"] != 1 || counting.opened["shared.py"] != 1 {
		t.Errorf("opened: %v", counting.opened)
	}
	if sum, err := l.MD5("./flow.py"); err != nil || len(sum) != 32 {
		t.Error(sum, err)
	}
}

type counter struct {
	fs.FS
	mu     sync.Mutex
	opened map[string]int
}

func (c *counter) Open(name string) (fs.File, error) {
	c.mu.Lock()
	c.opened[name]++
	c.mu.Unlock()
	return c.FS.Open(name)
}

// flowFile is a flow of the usual kind.
const flowFile = `"""Flows of area %d."""
from datetime import date
from typing import Literal, Optional

from prefect import flow, task


@task(retries=2)
def extract(day: date) -> list[dict]:
    return [{"i": i, "day": day.isoformat()} for i in range(10)]


@flow(name="area-%d", log_prints=True, retries=1)
def run(day: Optional[date] = None, region: Literal["eu", "us"] = "eu", limit: int = 100, tags: list[str] = []):
    """Load one area.

    Args:
        day: the day to load
        region: where to load it from
    """
    rows = extract(day or date.today())
    print(f"{len(rows)} rows for {region}, tagged {tags}")
    return rows
`

// BenchmarkLoad reads 200 flow files as one compilation does: each once, everything derived.
func BenchmarkLoad(b *testing.B) {
	fsys := fstest.MapFS{}
	var entrypoints []string
	for i := range 200 {
		p := fmt.Sprintf("flows/flow_%d.py", i)
		fsys[p] = &fstest.MapFile{Data: []byte(fmt.Sprintf(flowFile, i, i))}
		entrypoints = append(entrypoints, p+":run")
	}
	b.ReportAllocs()
	for b.Loop() {
		l := NewLoader(fsys)
		for _, e := range entrypoints {
			f, p := l.Load(e)
			if p != nil || len(f.Unknown) > 0 || len(f.Parameters) != 4 {
				b.Fatal(e, f, p)
			}
		}
	}
}

// FuzzLoad checks that no source and no entrypoint makes the derivation panic or hang, and that every unknown has a reason.
func FuzzLoad(f *testing.F) {
	f.Add(imports+"@flow\ndef f(a: Optional[date] = None, *b: 'int', c=[1, {2: (3,)}], **d):\n    '''D.\n\n    Args:\n        a: x\n    '''\n", "flow.py:f")
	f.Add("import enum\nfrom prefect import flow\nclass E(str, enum.Enum):\n    A = 'a'\nX = E.A\n@flow(name=X)\ndef f(a: dict[E, list[E]] = {}, b=X): pass\nf = f.with_options(name='g')\n", "flow.py:f")
	f.Add("from flow import *\nfrom flow import f as g\nf = g\n", "flow.f")
	f.Add("from __future__ import annotations\nA = list[A]\nclass C(C):\n    @flow\n    def m(self, a: A): pass\n", "flow.py:C.m")
	f.Fuzz(func(t *testing.T, src, entrypoint string) {
		flow, p := Load(project("flow.py", src, "pkg/flow.py", src), entrypoint)
		if (flow == nil) == (p == nil) {
			t.Fatal("neither a flow nor a problem, or both")
		}
		if p != nil {
			if p.Code == "" || p.Message == "" {
				t.Fatalf("%+v", p)
			}
			return
		}
		for _, u := range flow.Unknown {
			if u.Reason == "" {
				t.Fatalf("no reason: %+v", u)
			}
		}
	})
}
