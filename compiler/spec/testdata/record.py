#!/usr/bin/env python3
"""record.py OUT: what PyYAML's safe_load makes of many scalars and small documents.

Prefect reads prefect.yaml with PyYAML, through Python's text mode (which turns every line end into a line feed). Each line of OUT is one
JSON array: the document, then what became of it: ["error"], or ["value", V] where V is

    null, true, "text", ["i", "12"], ["f", "1.5"], ["d", "2024-01-02T03:04:05Z"], ["l", [V, ...]], ["m", [[key, V], ...]]

with dates and keys as Prefect's JSON writes them, and mappings in Python's order. Nothing here is random: the generator is seeded.
"""
import base64
import datetime
import io
import itertools
import json
import random
import sys

import yaml

R = random.Random(20)


def when(v):
    text = v.isoformat()
    return text[:-6] + "Z" if text.endswith("+00:00") and isinstance(v, datetime.datetime) else text


def key(k):
    if k is None or isinstance(k, str):
        return "None" if k is None else k
    if isinstance(k, bool):
        return "true" if k else "false"
    if isinstance(k, (datetime.date, datetime.datetime)):
        return when(k)
    if isinstance(k, (int, float)):
        return str(k)
    raise ValueError("key")


def encode(v, inside=()):
    if id(v) in inside:
        raise ValueError("recursive")
    if v is None or isinstance(v, (bool, str)):
        return v
    if isinstance(v, int):
        return ["i", str(v)]
    if isinstance(v, float):
        return ["f", repr(v)]
    if isinstance(v, (datetime.date, datetime.datetime)):
        return ["d", when(v)]
    if isinstance(v, bytes):
        return v.decode()
    inside = inside + (id(v),)
    if isinstance(v, (list, tuple)):
        return ["l", [encode(x, inside) for x in v]]
    if isinstance(v, dict):
        return ["m", [[key(k), encode(x, inside)] for k, x in v.items()]]
    raise ValueError("kind")


def load(data):
    try:
        text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8").read()
        return ["value", encode(yaml.safe_load(text))]
    except RecursionError:
        raise
    except Exception:
        return ["error"]


def scalars():
    yield from """~ null Null NULL nULL nul yes Yes YES yEs no No NO nO true True TRUE tRUE false False FALSE on On ON oN off Off OFF y Y n N t f
        0 00 07 08 09 010 017 018 0o17 0O17 0b1 0b101 0B1 0b 0b_ 0b2 0b1_0 -0b11 +0b11 0x1f 0X1F 0x 0x_ 0x_1 0xg -0xFF +0xfF 0_ 0__ 0_7 0_8 00_ _0 _1 1_ 1__0 1_000 -1_000 +1_0
        12 -12 +12 --1 +-1 -+1 1- 1+ - + -- ++ -- .- -. +. . .. ... .1 1. 1.5 -1.5 +1.5 -.5 +.5 .5 ._5 .5_ ._ .5. 1._ 1._5 1_.5 _1.5 1.5_0 01.5 00.5 08.5 0x1.5 1e3 1E3 1e+3 1e-3 1.e3
        1.0e3 1.0e+3 1.0E-3 1.0e+ 1.0e- 1.0e+3_0 1.0e+3.5 .5e3 .5e+3 -.5e+3 1.5e+400 1.5e-400 -1.5e+400 1.5e+0 0.0 -0.0 +0.0 0. -0. -0 +0 -00 +017 -017
        .inf .Inf .INF .iNF -.inf +.inf -.INF +.Inf inf Inf INF -inf infinity .nan .NaN .NAN .Nan -.nan +.nan nan NaN NAN
        1:30 12:30:45 1:60 1:59 1:5 1:05 1:5:5 01:30 00:30 0:30 0:0 -1:30 +1:30 1_0:30 1:3_0 1:30.5 1:30. 1:30._ 1:30.5_0 0:30.5 01:30.5 -1:30.5 +1:30.5 1:60.5 1::30 1:30: :30 1:2:3:4:5:6:7:8:9:10:11:12
        190:20:30 190:20:30.15 99:99 24:00 23:59:59.999 1:030 1:00030 _1:30 1_:30
        2024-01-02 2024-1-2 2024-01-2 2024-1-02 2024-13-01 2024-02-30 2023-02-29 2024-02-29 0000-01-01 0001-01-01 9999-12-31 10000-01-01 2024-00-01 2024-01-00 2024-01-32 24-01-02 02024-01-02 2024-01-02T
        2024-01-02T03:04:05 2024-01-02t03:04:05 2024-01-02T3:04:05 2024-1-2T3:04:05 2024-01-02T03:04 2024-01-02T03:04:05Z 2024-01-02T03:04:05z 2024-01-02T03:04:05+00:00 2024-01-02T03:04:05-00:00
        2024-01-02T03:04:05+01:30 2024-01-02T03:04:05-11 2024-01-02T03:04:05+5 2024-01-02T03:04:05+0530 2024-01-02T03:04:05+24:00 2024-01-02T03:04:05+23:59 2024-01-02T03:04:05-23:59 2024-01-02T03:04:05-24:00 2024-01-02T03:04:05+99:99 2024-01-02T03:04:05+01:60
        2024-01-02T03:04:05. 2024-01-02T03:04:05.1 2024-01-02T03:04:05.123456 2024-01-02T03:04:05.1234567 2024-01-02T03:04:05.0000001Z 2024-01-02T03:04:05.000 2024-01-02T24:00:00 2024-01-02T23:60:00 2024-01-02T23:59:60 2024-01-02T03:04:05.5+02:00
        2024-01-02T03:4:05 2024-01-02T03:04:5 0000-01-01T00:00:00 2024-13-01T00:00:00 2024-02-30T00:00:00 2024-02-30T00:00:00Z 2024-01-02_03:04:05 2024-01-02Tx 2024-01-02-03 1-1-1 2001-1-1
        = =a a=b == << <<x < a<<
        !!int !!str !!null a#b a: :a -a ?a a? a,b a] a} @a a@ a&b a*b a!b a|b a>b a%b a` \\ \\n $A ${A} {{ {{a}} a{{b}}c é ß 中文 🚀 \u00a0 \u2028 \u0085 a\u2028b
        0755 0o755 1_2_3 1,000 1.000.000 1.2.3 v1 1.0-rc1 3.11 3.10 1e5 12e03 0.1.0 -.5e3 1/2 50% 10s 1h """.split(" ")
    yield from ["1 000", "1 : 2", "2024-01-02 03:04:05", "2024-01-02  03:04:05", "2024-01-02\t03:04:05", "2024-01-02 03:04:05 Z", "2024-01-02 03:04:05 +01:00", "2024-01-02 03:04:05\t-5", "2024-01-02 03:04:05Z +1",
                "2024-1-2 3:04:05.5 -3:30", "2024-01-02 3:04", "2024-01-02 x", "2024-01-02T 03:04:05", "a b", "yes no", "- 1", "null null", "1 2", "1." + "0" * 400, "9" * 30, "-" + "9" * 30, "9" * 400, "9" * 4300,
                "0x" + "f" * 40, "0b" + "1" * 100, "0" + "7" * 60, "1:" + ":".join(["30"] * 15), "9" * 25 + ":30", "9" * 25 + ":30.5", "9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
                "0.1", "1e400", "123456789.123456789", "4.9e-324", "5.0e-324", "1.7976931348623157e+308", "0.30000000000000004", "!", "! a", "!!str 1", "!!str", "!!str yes", "!!int 1", "!!int 1_0", "!!int 0x1f", "!!int 017", "!!int 08", "!!int a",
                "!!int 1.5", "!!int 1:30", "!!int", "!!int ''", "!!int '12'", "!!int \"-5\"", "!!int +5", "!!int 0", "!!int -0", "!!int 0b11", "!!int 0b", "!!int 0o7", "!!int _", "!!int 1e3", "!!float 1", "!!float 1.5", "!!float 1e3", "!!float '2.5'",
                "!!float .inf", "!!float -.inf", "!!float inf", "!!float nan", "!!float .nan", "!!float 1_0.5", "!!float a", "!!float", "!!float 1:30", "!!float 1:30.5", "!!float +.5", "!!float 0x10", "!!float 017", "!!float ' 1.5'",
                "!!bool yes", "!!bool true", "!!bool True", "!!bool y", "!!bool 1", "!!bool ON", "!!bool oFf", "!!bool", "!!bool a", "!!bool 'no'", "!!null", "!!null ~", "!!null x", "!!null ''", "!!timestamp 2024-01-02", "!!timestamp 2024-01-02T03:04:05Z",
                "!!timestamp '2024-01-02'", "!!timestamp x", "!!timestamp", "!!timestamp 2024-1-2", "!!binary aGk=", "!!binary 'aGk='", "!!binary aGk", "!!binary =", "!!binary /w==", "!!binary 'a G k ='", "!!binary é", "!!binary '!'", "!!binary a*Gk=", "!!binary aGk=aGk=",
                "!!set {a}", "!!set {}", "!!seq [a]", "!!map {a: 1}", "!!seq {a: 1}", "!!map [a]", "!!omap [a: 1]", "!!pairs [a: 1, a: 2]", "!!omap {a: 1}", "!!pairs x", "!!str [a]", "!!str {a: 1}", "!!str {=: x}", "!!int {=: 5}", "!!int [1]", "!!null [1]", "!!bool {a: 1}",
                "!foo a", "!secret x", "!!foo a", "!foo [a]", "!foo {a: 1}", "!<tag:yaml.org,2002:str> 12", "!<tag:yaml.org,2002:int> '12'", "!<x> 12", "!<!x> 12", "! 12", "! [1]", "! {a: 1}", "!!merge a", "!!value =", "!!yaml x", "!!python/none", "!!python/tuple [1]", "!e!x 1", "!a!b", "!%21 x",
                "!!python/object/apply:os.system [echo]", "&a x", "&a", "*a", "&a *a", "&a &b x", "!!str &a x", "&a !!str 1", "&a-b_c1 x", "&a.b x", "&é x", "&a: x", "&a, x", "'it''s'", "'a\\nb'", "'a", "a'", "\"a\"", "\"a", "\"\\x41\\u00e9\\U0001F680\"", "\"\\q\"", "\"\\e[31m\"", "\"\\0\"",
                "\"\\x4\"", "\"\\/\"", "\"\\_\\N\\L\\P\"", "\"\\\t\"", "\"\\ud83d\"", "\"\\U00110000\"", "\"a' b\"", "''", "\"\"", "'1'", "\"1\"", "'yes'", "\"null\"", "'2024-01-02'", "\"<<\"", "'='", "[]", "{}", "[1, yes, ~]", "[a, b", "{a: 1}", "{a, b}", "{a: }", "{a:}", "{a:1}", "{\"a\":1}", "{a: b: c}",
                "[a: b]", "[? a : b]", "[a, ]", "[, a]", "[a,, b]", "{a: 1, }", "{, a: 1}", "{a: 1,, b: 2}", "[[]]", "[{}]", "[:a]", "[a:b]", "[::]", "{? a}", "{? a : b}", "{: a}", "[: a]", "{{ a }}", "{{ a.b }}", "{{a}}", "{{ a }}x", "[{{ a }}]", "|", ">", "|-", ">+", "%", "%a", "@", "`", ", a", "]", "}", "#", "# x", "a #b", "a # b", "a#", "? a", "?", "? ", "- a", "-", ":", ": a", "a:", "a :", "a: b: c",
                "a\\", "\\", "!!str #a", "&a # x", "[a] b", "'a' b", "\"a\"b", "{a: 1} b", "*a : 1", "--- a", "---", "...", "... a", "--- |", "\ta", "a\tb", "a\t", "a\t# c", "a \t #c", "'a\tb'", "\"a\tb\"", "\u00e9\u0301", "a\u00a0", "\u00a0a", "\ufeff", "a\ufeffb", "\u200b", "a\x7fb", "a\x1bb", "a\x00b", "a\x85b", "a\u2028b", "a\u2029b", "\ufffe", "\U0001f600 x", "a\x80b", "\ud7ff", "\ue000", "\uffff"]
    alphabet = "0123456789_.:-+eExXbBoOTtZ "
    for pattern in ["d.d", "d:d", "d-d-d", "sd", "0d", "0xd", "0bd", "d.de+d", "d:d:d", "d:d.d", "d-d-d d:d:d", "d-d-dTd:d:d.d+d:d", ".d", "d.", "d_d"]:
        for _ in range(60):
            out = ""
            for c in pattern:
                out += {"d": str(R.choice([R.randint(0, 9), R.randint(0, 99), R.randint(0, 99999), "0%d" % R.randint(0, 9), "1_%d" % R.randint(0, 999), "%04d" % R.randint(1, 9999)])), "s": R.choice("+-")}.get(c, c)
            if R.random() < 0.2:
                i = R.randint(0, len(out))
                out = out[:i] + R.choice(alphabet) + out[i:]
            yield out
    for _ in range(900):
        yield "".join(R.choice(alphabet) for _ in range(R.randint(1, 8))).strip() or "0"
    for y, m, d in itertools.product(["2024", "0001", "1900"], ["1", "02", "12", "13"], ["1", "29", "31"]):
        yield f"{y}-{m}-{d}T01:02:03"
        yield f"{y}-{m}-{d}"


def documents():
    with open(__file__.rsplit("/", 1)[0] + "/documents.txt", encoding="utf-8") as f:
        for block in f.read().split("\n=====\n"):
            yield block.encode()
    yield from [b"", b"\n", b"\xef\xbb\xbfa: 1\n", b"a: 1\r\nb: [1,\r\n  2]\r\n", b"a: 1\rb: 2\r", b"a: |\r\n  x\r\n  y\r\nb: 2\r\n", b"a: 'x\r\n  y'\r\n", b"a: \"x\\\r\n  y\"\r\n", b"a: \xff\n", b"a: \xc3\n", b"a: \xed\xa0\x80\n", b"a: \x00\n",
               b"a: \"\x07\"\n", b"# \x1b[31m\na: 1\n", b"a: x\xef\xbb\xbf\n", b"a: 1\n\xef\xbb\xbfb: 2\n", "a: b\n".encode("utf-16"), "a: b\n".encode("utf-16-le"), "a: b\n".encode("utf-32"), b"a: caf\xe9\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf# c\n", b"\xef\xbb\xbf---\na: 1\n", b"a:\n\t- x\n", b"a: 1\t\n", b"a:\t1\n", b"\ta: 1\n",
               b"a: 1\n\tb: 2\n", b"a:\n  - x\n\t- y\n", b"- \tx\n", b"-\tx\n", b"-\t- x\n", b"a: [\t1,\t2\t]\n", b"a: 1\n\t\nb: 2\n", b"a: 1\n \t# c\nb: 2\n", b"a: |\n\tx\n", b"a: |\n  \tx\n", b"a: |\n  x\n\n\ty\n", b"? \ta\n: \tb\n", b"a: b\n\t c\n", b"a: 'b\n\tc'\n", b"{a: 1,\n\tb: 2}\n", b"a: 1\x0c\n", b"a: \xc2\x85b\n", b"a: x\xc2\x85y\nb: 1\n", b"a: x\xe2\x80\xa8y\n", b"a: 'x\xe2\x80\xa9y'\n"]


def generated():
    """Documents put together from pieces: merges over merges, own keys before and after, aliases in lists."""
    pieces = ["a: 1", "b: 2", "a: 3", "<<: *x", "<<: *y", "<<: [*x, *y]", "<<: [*y, *x]", "c: *x", "<<: {a: 9, d: 4}", "<<: []", "<<: {}", "\"<<\": *x", "<<: ", "<<: 1", "<<: [1]", "<<: [[*x]]", "<<: [*x, {b: 7}]", "1: one", "yes: b", "~: n", "1.5: f", "2024-01-02: d", "b: 5"]
    head = "x: &x {a: x, e: 5}\ny: &y\n  <<: *x\n  a: y\n  f: 6\nz:\n"
    for _ in range(150):
        yield (head + "".join("  " + p + "\n" for p in R.sample(pieces, R.randint(1, 5)))).encode()
    shapes = ["k: v", "- v", "k:\n  - a\n  - b", "k:\n- a\n- b", "- k: v\n  l: w", "- - a\n  - b", "k: |\n  t\n   u\n", "k: >\n  t\n  u\n\n  w\n", "k: 'a\n  b'", "k: \"a\n\n  b\"", "k: [a,\n  b]", "# c", "", "k: # c\n  v", "k: a\n  b", "? k\n: v", "? - a\n: v", "k: &n v", "m: *n", "k: !t v", "<<: {p: q}", "---", "..."]
    for _ in range(150):
        yield ("\n".join(R.sample(shapes, R.randint(1, 4))) + R.choice(["", "\n", "\n\n"])).encode()


def main(out):
    seen, lines = set(), []
    cases = [("a: %s\n" % s).encode("utf-8", "surrogatepass") for s in scalars()]
    cases += [("- %s\n" % s).encode("utf-8", "surrogatepass") for s in R.sample(list(scalars()), 100)]
    cases += [("%s: 1\n" % s).encode("utf-8", "surrogatepass") for s in R.sample(list(scalars()), 150)]
    cases += list(documents()) + list(generated())
    for data in cases:
        if data not in seen:
            seen.add(data)
            lines.append(json.dumps([base64.b64encode(data).decode() if any(c > 0x7e for c in data) else "t" + data.decode()] + load(data), ensure_ascii=True, separators=(",", ":")))
    with open(out, "w", encoding="ascii") as f:
        f.write("\n".join(lines) + "\n")
    print(len(lines), "cases", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1])
