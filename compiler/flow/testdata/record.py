"""Prints what the installed Prefect makes of each function of the Python files below a folder, as one JSON object.

Usage: python record.py FOLDER. A key is the entrypoint; its value holds name, description, version (null where Prefect derives it from
the file) and schema, or the error's type. Module-level names bound to a flow by assignment count too.
"""
import ast
import hashlib
import json
import logging
import os
import re
import sys
import warnings

warnings.simplefilter("ignore")
os.environ.setdefault("PREFECT_LOGGING_LEVEL", "CRITICAL")
from prefect.flows import load_flow_from_entrypoint  # noqa: E402

logging.disable(logging.CRITICAL)


def targets(text):
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return ["anything"]
    names = []
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            names.append(node.name)
        elif isinstance(node, ast.ClassDef):
            names += [node.name + "." + m.name for m in node.body if isinstance(m, (ast.FunctionDef, ast.AsyncFunctionDef)) and m.decorator_list]
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and "flow" in node.targets[0].id:
            names.append(node.targets[0].id)
        elif isinstance(node, ast.ImportFrom):
            names += [a.asname or a.name for a in node.names if "flow" in (a.asname or a.name) and node.module != "prefect"]
        elif isinstance(node, (ast.If, ast.Try)):
            names += [m.name for m in ast.walk(node) if isinstance(m, (ast.FunctionDef, ast.AsyncFunctionDef))]
    return sorted(set(names))


def ask(entrypoint, path):
    try:
        flow = load_flow_from_entrypoint(entrypoint)
    except BaseException as e:
        return {"error": type(e).__name__}
    version = flow.version
    file = getattr(sys.modules.get(flow.fn.__module__), "__file__", None) or path
    if version == hashlib.md5(open(file, "rb").read()).hexdigest():
        version = None
    # A module is imported under a name with a digest of its absolute path, and a default may hold __name__: the same on every machine, please.
    schema = json.loads(re.sub("__prefect_loader_[0-9a-f]+__", "__prefect_loader__", flow.parameters.model_dump_json(exclude_unset=True)))
    schema = {k: v for k, v in schema.items() if k in ("title", "type", "properties") or v}
    schema.pop("$defs", None)
    return {"name": flow.name, "description": flow.description, "version": version, "schema": schema}


os.chdir(sys.argv[1])
found = {}
for folder, _, names in sorted(os.walk(".")):
    for name in sorted(names):
        if name.endswith(".py") and name != "__init__.py":
            path = os.path.relpath(os.path.join(folder, name), ".")
            for target in targets(open(path, encoding="utf-8").read()):
                sys.path[:] = [p for p in sys.path if not p.startswith(os.getcwd())]
                found[path + ":" + target] = ask(path + ":" + target, path)
json.dump(found, sys.stdout, indent=1, ensure_ascii=False)
print()
