//go:build real

// The derivation against a real Prefect: the recorded answers asked for again, and answers about flows made up at random.

package flow

import (
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// prefectPython is the interpreter of an environment with Prefect 3.8.8: $PREFECT_ORACLE_VENV, else the cached one.
func prefectPython(t *testing.T) string {
	t.Helper()
	home, _ := os.UserHomeDir()
	for _, dir := range []string{os.Getenv("PREFECT_ORACLE_VENV"), filepath.Join(home, ".cache/prefect-oracle/p3")} {
		if p := filepath.Join(dir, "bin/python"); dir != "" {
			if _, err := os.Stat(p); err == nil {
				return p
			}
		}
	}
	t.Fatal("no Python with Prefect: set PREFECT_ORACLE_VENV")
	return ""
}

func record(t *testing.T, dir string) map[string]answer {
	t.Helper()
	script, _ := filepath.Abs("testdata/record.py")
	cmd := exec.Command(prefectPython(t), script, dir)
	cmd.Env = append(os.Environ(), "PREFECT_HOME="+t.TempDir(), "PYTHONDONTWRITEBYTECODE=1")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var answers map[string]answer
	decodePlain(t, out, &answers)
	return answers
}

func TestRecordedIsCurrent(t *testing.T) {
	data, err := os.ReadFile("testdata/recorded.json")
	if err != nil {
		t.Fatal(err)
	}
	loader := regexp.MustCompile(`__prefect_loader_[0-9a-f]+__`)
	var before map[string]answer
	decodePlain(t, data, &before)
	now := record(t, "testdata/flows")
	for k, a := range now {
		// Prefect names the module of a file after its path, and __name__ is such a name: it differs from folder to folder.
		if loader.ReplaceAllString(show(a), "") != loader.ReplaceAllString(show(before[k]), "") {
			t.Errorf("%s: recorded %s, now %s", k, show(before[k]), show(a))
		}
	}
	if len(now) != len(before) {
		t.Errorf("%d answers, %d recorded", len(now), len(before))
	}
}

const prelude = `import collections.abc
import datetime
import decimal
import enum
import pathlib
import typing
import uuid
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Callable, Dict, FrozenSet, Iterable, List, Literal, Mapping, Optional, Sequence, Set, Tuple, TypeVar, Union

from prefect import flow
from pydantic import BaseModel, Field

T = TypeVar("T")
LIMIT = 5
NAME = "name"
RATIO = 0.25
PAIR = (1, "x")


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    """How much."""
    LOW = 1
    HIGH = 2


class Own:
    pass


Alias = Optional[List[int]]
Number = Union[int, float]
`

// maker makes random annotations, defaults and docstrings that import without error.
type maker struct{ *rand.Rand }

func (m maker) of(choices ...string) string { return choices[m.Intn(len(choices))] }

func (m maker) annotation(depth int) string {
	if depth == 0 || m.Intn(3) == 0 {
		return m.of("int", "str", "float", "bool", "bytes", "None", "Any", "object", "date", "datetime.datetime", "datetime.time", "timedelta", "uuid.UUID", "decimal.Decimal", "pathlib.Path",
			"list", "dict", "tuple", "set", "List", "Dict", "Tuple", "Sequence", "Mapping", "Iterable", "Color", "Level", "Own", "Alias", "Number", "T", "Callable", "complex", "type", "typing.Any",
			"Literal['a']", "Literal['a', 'b']", "Literal[1, 'x', None]", "Literal[True]", "Literal[-3, 4]", "Literal[Color.RED]", "frozenset", "collections.abc.Sequence", "collections.abc.Mapping")
	}
	a := func() string { return m.annotation(depth - 1) }
	switch m.Intn(16) {
	case 0, 1:
		return "Optional[" + a() + "]"
	case 2:
		return "Union[" + a() + ", " + a() + "]"
	case 3:
		return "Union[" + a() + ", " + a() + ", " + a() + "]"
	case 4:
		return "list[" + a() + "]"
	case 5:
		return "List[" + a() + "]"
	case 6:
		return m.of("dict", "Dict", "Mapping") + "[" + m.of("str", "int", "Color", "date", "Any", "uuid.UUID", "float", "bool", "Literal['k', 'l']") + ", " + a() + "]"
	case 7:
		return "tuple[" + a() + ", " + a() + "]"
	case 8:
		return "Tuple[" + a() + ", ...]"
	case 9:
		return m.of("set", "Set", "FrozenSet") + "[" + m.of("int", "str", "date", "Color", "Literal[1, 2]") + "]"
	case 10:
		return m.of("Sequence", "Iterable", "collections.abc.Sequence") + "[" + a() + "]"
	case 11:
		return m.of("int", "str", "list[int]", "dict[str, Any]", "date", "Color") + " | " + m.of("None", "float", "Own", "list[str]")
	case 12:
		return "Annotated[" + a() + ", 'note']"
	case 13:
		return strconv.Quote(m.of("int", "list[int]", "Optional[date]", "Color", "Union[int, None]", "Own"))
	case 14:
		return m.of("Callable[[int], str]", "Callable[..., Any]", "list['int']", "Optional['Color']", "List['str']", "dict[str, 'Own']", "Optional['int | None']", "Union['int | None', str]", "Union['float', None, 'int']")
	}
	return "Optional[" + a() + "]"
}

func (m maker) constant(depth int) string {
	if depth > 0 && m.Intn(3) == 0 {
		a, b := m.constant(depth-1), m.constant(depth-1)
		return m.of("["+a+", "+b+"]", "("+a+",)", "("+a+", "+b+")", "{'k': "+a+", 'l': "+b+"}", "{1: "+a+"}", "["+a+"]", "{3, 1, 2}", "{'b', 'a'}", "[]", "()", "{}")
	}
	return m.of("1", "-2", "0.5", "-1e3", "'text'", "b'raw'", "None", "True", "False", "0x10", "1_000", "'a' 'b'", "LIMIT", "NAME", "RATIO", "LIMIT * 2", "NAME + '!'", "2 ** 5", "-LIMIT", "7 // 2", "7 / 2", "Color.RED", "Level.HIGH",
		"r'\\n'", "'é\\n\\x41'", "\"\"\"tri\nple\"\"\"", "(3)", "1e16", "1.0", "123456789012", "3.14159")
}

func (m maker) value() string {
	if m.Intn(6) == 0 {
		return m.of("date(2024, 2, 3)", "timedelta(days=1, hours=2)", "timedelta(seconds=90)", "pathlib.Path('a', 'b')", "decimal.Decimal('1.25')", "uuid.UUID('00000000000000000000000000000007')", "datetime.datetime(2024, 1, 2, 3)", "lambda x: x",
			"print", "Own()", "Own", "PAIR", "len('abc')", "f'{LIMIT}'", "[x for x in (1, 2)]", "1 if LIMIT else 2", "float('nan')", "datetime.time(1, 2, 3)")
	}
	return m.constant(2)
}

func (m maker) function(b *strings.Builder, i int) {
	if m.Intn(4) == 0 {
		fmt.Fprintf(b, "\n\n@flow(name=%q)\n", fmt.Sprintf("flow %d", i))
	} else {
		b.WriteString("\n\n@flow\n")
	}
	fmt.Fprintf(b, "%sdef flow_%d(", m.of("", "", "async "), i)
	defaults, names := false, []string{}
	star := m.Intn(5)
	for j := range 5 {
		if j == star {
			b.WriteString(m.of("*, ", "*args, ", "*args: int, "))
			defaults = false
		}
		name := fmt.Sprintf("p%d", j)
		names = append(names, name)
		b.WriteString(name)
		switch m.Intn(8) {
		case 0:
		case 1:
			b.WriteString(": " + m.of("First", "Plain", "Optional[First]", "list[Plain]", "dict[str, First]", "Union[First, Plain, None]", "First | None"))
		default:
			b.WriteString(": " + m.annotation(3))
		}
		if defaults || m.Intn(2) == 0 {
			b.WriteString(" = " + m.value())
			defaults = true
		}
		b.WriteString(", ")
	}
	b.WriteString(m.of(")", "**kwargs)", "**kwargs: str)", ") -> None") + ":\n")
	if m.Intn(2) == 0 {
		m.docstring(b, names)
	}
	b.WriteString("    pass\n")
}

func (m maker) docstring(b *strings.Builder, names []string) {
	b.WriteString("    \"\"\"" + m.of("Summary.\n", "\n    Summary.\n", "Args:\n", "Summary: here\n") + m.of("\n", "", "\n    More text.\n\n") + "    " + m.of("Args:", "Arguments:", "args: title", "Note:", "Parameters :", "Returns:") + "\n")
	for _, n := range names {
		b.WriteString(m.of("        ", "        ", "      ", "            ", "    ") + n + m.of(": ", " (int): ", " : ", ":", " ") + m.of("text", "text: more", "", "a\n            b", "a\n\n            b") + "\n" + m.of("", "", "", "\n"))
	}
	b.WriteString(m.of("", "\n    Returns:\n        p0: nothing\n", "\n    Args:\n        p1: again\n", "    Raises:\n        p2: x\n") + "    \"\"\"\n")
}

// class makes a model or dataclass whose fields import without error.
func (m maker) class(b *strings.Builder, name string, dataclass bool) {
	if dataclass {
		b.WriteString("\n\n@dataclass\nclass " + name + ":\n")
	} else {
		b.WriteString("\n\nclass " + name + "(BaseModel):\n")
	}
	b.WriteString(m.of("", "    \"\"\"Short.\"\"\"\n", "    '''Long.\n\n      Deep\n    '''\n"))
	fits := func(a string) bool {
		return !strings.Contains(a, "Own") && !strings.Contains(a, "Callable") && !regexp.MustCompile(`\bT\b`).MatchString(a) && !strings.Contains(a, "\"") && !strings.Contains(a, "['")
	}
	defaults := false
	for i := range 1 + m.Intn(5) {
		a := m.annotation(2)
		for !fits(a) {
			a = m.annotation(2)
		}
		fmt.Fprintf(b, "    %s_%d: %s", m.of("field", "a_bC", "x2y"), i, a)
		if defaults = defaults || m.Intn(2) == 0; defaults {
			d := m.constant(1)
			if dataclass && strings.ContainsAny(d, "[{") {
				d = "1"
			}
			if !dataclass && m.Intn(4) == 0 {
				d = m.of("Field(default_factory=list)", "Field(1, description='one')", "Field(default='x')")
			}
			b.WriteString(" = " + d)
		}
		b.WriteString("\n")
	}
}

// TestRandomFlows makes flows up and asks the real Prefect about each. SEED and FILES choose others and more.
func TestRandomFlows(t *testing.T) {
	seed, files := int64(1), 12
	if s, err := strconv.ParseInt(os.Getenv("SEED"), 10, 64); err == nil {
		seed = s
	}
	if n, err := strconv.Atoi(os.Getenv("FILES")); err == nil {
		files = n
	}
	m := maker{rand.New(rand.NewSource(seed))}
	dir := t.TempDir()
	for i := range files {
		var b strings.Builder
		if i%4 == 3 {
			b.WriteString("from __future__ import annotations\n")
		}
		b.WriteString(prelude)
		m.class(&b, "First", false)
		m.class(&b, "Plain", true)
		for j := range 10 {
			m.function(&b, j)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("made_%d.py", i)), []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	answers := record(t, dir)
	all := checkAnswers(t, dir, answers)
	failed := 0
	for _, a := range answers {
		if a.Error != "" {
			failed++
		}
	}
	t.Logf("%d flows (%d that Prefect refuses), %d of %d parameters derived", len(answers), failed, all.derived, all.total)
	for _, w := range all.wrong {
		t.Error("wrong: ", w)
	}
	if t.Failed() && os.Getenv("KEEP") != "" {
		_ = os.CopyFS(os.Getenv("KEEP"), os.DirFS(dir))
	}
	if all.derived < all.total/2 {
		t.Errorf("only %d of %d parameters derived", all.derived, all.total)
	}
}
