"""The Python side of a step: imports the function, calls it, and answers.

It is started once and serves many calls, because importing Prefect alone takes a second. Requests and answers are lines of JSON on
pipes of their own, so whatever is printed (by C code and child processes too) cannot get between them. Only the standard library is
used, so that it works in any environment of Python 3.8 or later; Prefect is needed for flows and for functions that import it.
"""

import asyncio
import collections
import datetime
import decimal
import enum
import importlib
import importlib.util
import inspect
import io
import json
import math
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import traceback
import uuid

OWNER = os.getpid()
DEEPEST = 200
LONGEST = 12000  # Python itself refuses to write numbers that are much longer
FILE_MODULE = "step_file_"


class Refused(Exception):
    """A fault that needs no traceback: its text says all."""


class Missing(ImportError):
    """A module that this Python does not have. Its packages may be installed for it."""


class Uninstalled(Refused):
    """What a step requires could not be installed."""


class NotPlain(Refused):
    """What a function returned can't travel."""


class Streams:
    """The worker's own stdout and stderr, put back in order before and after each call, whatever the function did to them."""

    def __init__(self):
        self.kept = {number: os.dup(number) for number in (1, 2)}
        self.restore()

    def restore(self):
        for number, name in ((1, "stdout"), (2, "stderr")):
            os.dup2(self.kept[number], number)
            first = getattr(sys, "__%s__" % name)
            if first is None or first.closed:
                first = io.open(number, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
                setattr(sys, "__%s__" % name, first)
            elif hasattr(first, "reconfigure"):
                first.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
            setattr(sys, name, first)

    def flush(self):
        for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
            try:
                stream.flush()
            except Exception:
                pass

    def mark(self, text):
        """Says that all a call has printed stands before this. It begins wherever the last line ended."""
        for number in (1, 2):
            data = text.encode() + b"\n"
            while data:
                data = data[os.write(self.kept[number], data):]


class Place:
    """Where a call happens: its directory and the project's root, first on the path of imports."""

    def __init__(self):
        if sys.path and sys.path[0] == "":
            del sys.path[0]
        self.added = []

    def enter(self, root, directory):
        os.chdir(directory)
        for path in self.added:
            if path in sys.path:
                sys.path.remove(path)
        self.added = [directory] if directory == root else [directory, root]
        sys.path[:0] = self.added


def package_name(requirement):
    return re.split(r"[<>=!~]", requirement)[0].strip().replace("-", "_")


def import_object(name):
    """module.object, module:object.method or path/to/file.py:object, as Prefect reads the names of steps."""
    if ".py:" in name:
        path, _, attributes = name.rpartition(":")
        module = import_file(path)
    elif ":" in name or "." in name:
        module_name, _, attributes = name.rpartition(":" if ":" in name else ".")
        module = import_module(module_name)
    else:
        raise Refused("%r is not the full name of a function: write it as module.function" % name)
    found = module
    for part in attributes.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            where = "its class" if found is not module else "the module %s" % getattr(module, "__name__", "?")
            raise Refused("%s has no %r, so %s cannot be called" % (where, part, name)) from None
    return found


def import_module(name):
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as fault:
        what = "the module %s" % fault.name if fault.name else str(fault)
        if fault.name and fault.name != name and not name.startswith(fault.name + "."):
            what += ", which %s imports" % name
        raise Missing("the Python of the steps, %s, does not have %s: install it there, or name its package under requires" % (sys.executable, what)) from fault


def import_file(path):
    full = str(pathlib.Path(path).resolve())
    if not os.path.isfile(full):
        raise Refused("there is no file %s" % path)
    spec = importlib.util.spec_from_file_location(FILE_MODULE + uuid.uuid5(uuid.NAMESPACE_URL, full).hex, full)
    if spec.name not in sys.modules:
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        sys.path.insert(0, os.path.dirname(full))
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[spec.name]
            raise
    return sys.modules[spec.name]


def locate(name, packages):
    for package in packages:
        importlib.import_module(package_name(package))
    return import_object(name) if name else None


def required(request):
    """What require finds, and what the imports changed in the environment is kept."""
    before = dict(os.environ)
    try:
        return require(request["function"], request["requires"], request["installed"])
    finally:
        IMPORTED.update(differences(before))


def require(name, packages, installed):
    """The function, with the packages it requires installed first where an import fails, unless that was done before."""
    if installed:
        return import_object(name) if name else None
    try:
        return locate(name, packages)
    except ImportError:
        if not packages:
            raise
    print("Installing %s" % ", ".join(packages), flush=True)
    code, reason = install(packages)
    failed = "the packages %s could not be installed (code %d): %s" % (", ".join(packages), code, reason)
    importlib.invalidate_caches()
    try:
        found = import_object(name) if name else None
    except ImportError as fault:
        if code:
            raise Uninstalled(failed) from fault
        raise
    if code:
        print(failed, file=sys.stderr, flush=True)
    return found


def install(packages):
    """With uv where there is one, else with pip. The version of Prefect stays, as in Prefect's own installing."""
    packages = [known_extras().get(package, package) for package in packages]
    installed = prefect_version()
    if installed and "+" not in installed:
        packages = ["prefect==" + installed] + packages
    uv = uv_program()
    command = [uv, "pip", "install"] if uv else [sys.executable, "-m", "pip", "install"]
    if uv:
        command += ["--python", sys.executable]
    return carried_out(command + packages)


def carried_out(command):
    """A command's code, and what it says of its end; all it prints is shown."""
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    except OSError as fault:
        return 127, str(fault)
    tail = collections.deque(maxlen=30)

    def read():
        for line in process.stderr:
            text = line.decode("utf-8", "replace")
            sys.stderr.write(text)
            tail.append(text)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    code = process.wait()
    reader.join(1)  # what the command left running may hold the pipe for ever
    return code, why(list(tail.copy()))


def why(lines):
    """The reason in what pip or uv wrote to stderr: pip's last line of kind ERROR, or what uv says from its first mark on."""
    lines = [line.strip() for line in re.sub(r"\x1b\[[0-9;]*m", "", "".join(lines)).splitlines()]
    for line in reversed(lines):
        if line.startswith("ERROR:"):
            return line[len("ERROR:"):].strip()
    for i, line in enumerate(lines):
        if line.startswith(("error:", "\u00d7")):
            text = " ".join(part.lstrip("\u00d7\u2570\u2500\u25b6\u251c\u2502 ") for part in lines[i:] if not part.startswith("hint:"))
            return re.sub(r"^error: *", "", text).replace(" cause: ", ": ").strip()
    return lines[-1] if lines else "it gave no reason"


def known_extras():
    try:
        from prefect._internal.integrations import KNOWN_EXTRAS_FOR_PACKAGES

        return KNOWN_EXTRAS_FOR_PACKAGES
    except Exception:
        return {}


def uv_program():
    try:
        return importlib.import_module("uv").find_uv_bin()
    except Exception:
        return shutil.which("uv")


def prefect_version():
    try:
        from importlib.metadata import version

        return version("prefect")
    except Exception:
        return None


def plain(value, path, lenient=False, depth=0):
    """value as data that JSON has. Paths, identifiers, dates, enums and decimals become what they are written as."""
    if depth > DEEPEST:
        raise NotPlain("the output %s is nested too deeply, or contains itself" % path)
    if isinstance(value, enum.Enum):
        return plain(value.value, path, lenient, depth + 1)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        if value.bit_length() > LONGEST:
            raise NotPlain("the output %s is a number of more than %d bits: return it as text" % (path, LONGEST))
        return int(value)
    if isinstance(value, float):
        if math.isfinite(value):
            return float(value)
        if lenient:
            return None
        raise NotPlain("the output %s is %r, which JSON does not have" % (path, value))
    if isinstance(value, dict):
        return {
            plain_key(key, path): plain(item, "%s.%s" % (path, key), lenient, depth + 1) for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [plain(item, "%s[%d]" % (path, i), lenient, depth + 1) for i, item in enumerate(value)]
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (pathlib.PurePath, uuid.UUID, decimal.Decimal)):
        return str(value)
    if lenient:
        return str(value)
    kind = type(value)
    raise NotPlain(
        "the output %s is a %s.%s, which later steps cannot use: return text, numbers, lists or mappings"
        % (path, kind.__module__, kind.__qualname__)
    )


def plain_key(key, path):
    if isinstance(key, enum.Enum):
        key = key.value
    if isinstance(key, str):
        return str.__str__(key)
    if key is None or isinstance(key, (bool, int, float, pathlib.PurePath, uuid.UUID)):
        return str(key)
    raise NotPlain("a key of the output %s is a %s, not text" % (path, type(key).__qualname__))


def call(request):
    function = required(request)
    if not callable(function):
        raise Refused("%s is not a function" % request["function"])
    outcome = function(**request["inputs"])
    if inspect.isawaitable(outcome):
        outcome = asyncio.run(finished(outcome))
    if not isinstance(outcome, dict):
        return None
    return {plain_key(key, "of the step"): plain(item, repr(key)) for key, item in outcome.items()}


async def finished(awaitable):
    return await awaitable


def only_require(request):
    required(request)
    return None


def flow(request):
    """What `prefect deploy` would learn of a flow by importing it. It leaves no compiled files in the project: a plan writes nothing."""
    known, paths, writes = set(sys.modules), list(sys.path), sys.dont_write_bytecode
    try:
        try:
            import prefect
        except ImportError as fault:
            raise Refused("this Python (%s) has no Prefect: pip install prefect" % sys.executable) from fault
        from prefect.flows import load_flow_from_entrypoint
        from prefect.utilities.callables import parameter_schema

        sys.dont_write_bytecode = True
        found = load_flow_from_entrypoint(request["entrypoint"])
        schema = parameter_schema(found)
        if prefect.__version__.startswith("2."):
            schema = schema.dict()
        else:
            schema = schema.model_dump(exclude_unset=True)
        return {
            "name": found.name,
            "description": found.description,
            "version": found.version,
            "schema": plain(schema, "schema", lenient=True),
            "file": source_file(found),
        }
    finally:
        sys.dont_write_bytecode = writes
        forget(known, request["root"])
        sys.path[:] = paths


def source_file(found):
    try:
        return os.path.realpath(inspect.getsourcefile(found.fn))
    except (TypeError, OSError):
        return None


def forget(known, root):
    """Drops the project's own modules, so that two flow folders with a module of one name do not get each other's."""
    for name in set(sys.modules) - known:
        file = getattr(sys.modules[name], "__file__", None)
        if file and os.path.realpath(file).startswith(os.path.realpath(root) + os.sep) and "site-packages" not in file:
            sys.modules.pop(name, None)


def probe(request):
    version = "%d.%d.%d" % sys.version_info[:3]
    return {"python": version, "prefect": prefect_version(), "executable": sys.executable}


KINDS = {"call": call, "require": only_require, "flow": flow, "probe": probe}


def failure(fault):
    kind = type(fault)
    unnamed = kind.__module__ in ("builtins", "__main__") or kind.__module__.startswith(FILE_MODULE)
    name = kind.__qualname__ if unnamed else kind.__module__ + "." + kind.__qualname__
    if isinstance(fault, (Refused, Missing)):
        name = "<worker>." + name  # what no class of somebody's own is called
    if isinstance(fault, SystemExit):
        return {"kind": "error", "type": name, "message": "the function called sys.exit(%r)" % (fault.code,), "trace": ""}
    try:
        message = str(fault)
    except Exception:
        message = ""
    trace = ""
    if not isinstance(fault, Refused):
        frames = traceback.extract_tb((fault.__cause__ if isinstance(fault, Missing) else fault).__traceback__)
        ours = ("<worker>", "<string>", importlib.__file__)
        theirs = [frame for frame in frames if frame.filename not in ours and not frame.filename.startswith("<frozen ")]
        trace = "".join(traceback.format_list(theirs[-8:]))
    return {"kind": "error", "type": name, "message": message, "trace": trace}


def here():
    try:
        return os.getcwd()
    except OSError:
        return ""  # it was removed


IMPORTED = {}


def differences(before):
    """What has become of the environment since: the new values, and None where a variable is gone."""
    now = dict(os.environ)
    return {name: now.get(name) for name in sorted(set(now) | set(before)) if now.get(name) != before.get(name)}


def lay(changes):
    for name, text in changes.items():
        if text is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = text


def answer(request, place):
    """What a module sets while it is imported counts for each call after it, as the module is not imported again."""
    before = dict(os.environ)
    try:
        lay(IMPORTED)
        found = dict(os.environ)
        if request["dir"]:
            place.enter(request["root"], request["dir"])
        outcome = KINDS[request["kind"]](request)
        return {"kind": "result", "value": outcome, "cwd": here(), "changed": differences(found)}
    except BaseException as fault:
        return failure(fault)
    finally:
        if os.getpid() != OWNER:
            os._exit(0)  # a fork that the function made and let run on must not answer
        if dict(os.environ) != before:
            os.environ.clear()
            os.environ.update(before)


def pipes():
    """Two descriptors of our own (given by number), or, where none can be handed over, stdin and stdout moved out of the way."""
    numbers = os.environ.pop("PREFECT_DEPLOY_WORKER_FDS", "")
    if numbers:
        requests, answers = (int(number) for number in numbers.split(","))
    else:
        requests, answers = os.dup(0), os.dup(1)
        os.dup2(2, 1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
    os.set_inheritable(requests, False)
    os.set_inheritable(answers, False)
    return os.fdopen(requests, "rb"), os.fdopen(answers, "wb")


def main():
    requests, answers = pipes()
    streams, place = Streams(), Place()
    answers.write(b'{"kind":"ready"}\n')
    answers.flush()
    for line in requests:
        request = json.loads(line)
        streams.restore()
        reply = answer(request, place)
        streams.flush()
        streams.restore()
        streams.mark(request["mark"])
        answers.write(json.dumps(reply).encode() + b"\n")
        answers.flush()


main()
