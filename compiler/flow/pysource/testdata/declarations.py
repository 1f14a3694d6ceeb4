"""Prints what CPython's ast sees in Python files: one JSON line a file, {"path", "error"} or {"path", "functions": […]}.

Usage: python declarations.py FOLDER. A function is [name, line, decorators, parameters, docstring, result's annotation]; a parameter is
[kind, name, annotation, default], sources as in the file, absent ones null.
"""
import ast
import io
import json
import os
import sys
import tokenize
import warnings

warnings.simplefilter("ignore")
sys.setrecursionlimit(20000)


def functions(text):
    tree = ast.parse(text)
    lines = [line.encode("utf-8", "surrogatepass") for line in io.StringIO(text, newline="\n")]

    def source(node):
        if node is None:
            return None
        a, b = node.lineno - 1, node.end_lineno - 1
        if a == b:
            found = lines[a][node.col_offset:node.end_col_offset]
        else:
            found = b"".join([lines[a][node.col_offset:], *lines[a + 1:b], lines[b][:node.end_col_offset]])
        return found.decode("utf-8", "surrogatepass")

    for node in ast.walk(tree):
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        a = node.args
        parameters = []
        plain = [(0, x) for x in a.posonlyargs] + [(1, x) for x in a.args]
        defaults = [None] * (len(plain) - len(a.defaults)) + a.defaults
        parameters += [[k, x.arg, source(x.annotation), source(d)] for (k, x), d in zip(plain, defaults)]
        if a.vararg:
            parameters.append([2, a.vararg.arg, source(a.vararg.annotation), None])
        parameters += [[3, x.arg, source(x.annotation), source(d)] for x, d in zip(a.kwonlyargs, a.kw_defaults)]
        if a.kwarg:
            parameters.append([4, a.kwarg.arg, source(a.kwarg.annotation), None])
        doc = ast.get_docstring(node, clean=False)
        if doc is not None and any(0xD800 <= ord(c) < 0xE000 for c in doc):
            doc = {"surrogates": list(doc.encode("utf-8", "surrogatepass"))}
        yield [node.name, node.lineno, [source(d) for d in node.decorator_list], parameters, doc, source(node.returns)]


for folder, _, names in sorted(os.walk(sys.argv[1])):
    for name in sorted(names):
        if not name.endswith(".py"):
            continue
        path = os.path.join(folder, name)
        try:
            data = open(path, "rb").read()
            encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
            text = io.TextIOWrapper(io.BytesIO(data), encoding).read()
            compile(data, path, "exec", ast.PyCF_ONLY_AST)
            found = sorted(functions(text), key=lambda f: f[1])
            print(json.dumps({"path": path, "functions": found}))
        except (SyntaxError, ValueError, RecursionError, LookupError, MemoryError) as e:
            print(json.dumps({"path": path, "error": str(e)}))
