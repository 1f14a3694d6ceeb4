"""Records what the real run_shell_script, and the Python functions under it, make of many inputs.

Run with the Python of an environment that holds Prefect 3.8.8; it writes shell.golden.json and pytext.golden.json beside itself. The
build-tagged test TestRecordedIsReal runs it into another folder and fails on any difference.
"""

import asyncio
import json
import os
import random
import shlex
import string
import sys
import tempfile
from pathlib import Path

ENV = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nowhere", "LC_ALL": "C.UTF-8", "WHO": "world", "Who": "mixed", "TWO": "a b", "LINES2": "x\ny z",
       "EMPTY": "", "DOLLAR": "$WHO", "QUOTE": "it's", "_U1": "under"}

# name: inputs. Every case runs in a fresh folder that holds sub/tool (prints its arguments), sub/plain (not executable), noshebang
# and words.txt. `<dir>` stands for that folder.
CASES = {
    "one-line": {"script": "echo hello"},
    "two-lines": {"script": "echo one\necho two"},
    "blank-lines": {"script": "\n  \n\t\necho x\n\n"},
    "empty": {"script": ""},
    "only-spaces": {"script": "   "},
    "stripped": {"script": "printf '  a b \\n\\n'"},
    "strip-unicode": {"script": "printf '\\302\\240\\342\\200\\203mid\\302\\205\\034'"},
    "both-streams": {"script": "sh -c 'echo out; echo err >&2'"},
    "order-of-streams": {"script": "sh -c 'echo 1 >&2'\nsh -c 'echo 2 >&2; echo 3'"},
    "single-quotes": {"script": "echo 'a  b' 'c\"d'"},
    "double-quotes": {"script": 'echo "a  b" "it\'s"'},
    "adjacent-quotes": {"script": "echo a'b c'\"d e\"f"},
    "empty-words": {"script": "printf '[%s]' '' \"\" x"},
    "backslash-space": {"script": "echo a\\ \\ b"},
    "backslash-in-double": {"script": 'printf %s "a\\"b\\\\c\\d\\$e"'},
    "backslash-in-single": {"script": "printf %s 'a\\b'"},
    "backslash-quote": {"script": "printf %s \\'\\\""},
    "open-single": {"script": "echo 'abc"},
    "open-double": {"script": 'echo "abc'},
    "open-on-second-line": {"script": "echo fine\necho 'abc"},
    "trailing-backslash": {"script": "echo abc\\"},
    "backslash-end-in-quotes": {"script": 'echo "abc\\'},
    "quote-over-lines": {"script": "echo 'a\nb'"},
    "comment-line": {"script": "# a comment\necho x"},
    "comment-at-end": {"script": "echo x # not a comment"},
    "shell-operators-are-words": {"script": "echo a && echo b | cat > c; d"},
    "glob-stays": {"script": "echo *.txt ~"},
    "dollar-stays": {"script": "echo $WHO ${WHO} $$"},
    "vertical-tab": {"script": "echo a\x0becho b"},
    "form-feed": {"script": "echo a\x0cecho b"},
    "file-separators": {"script": "echo a\x1cecho b\x1decho c\x1eecho d"},
    "unit-separator-splits-no-line": {"script": "echo a\x1fb"},
    "next-line": {"script": "echo a\x85echo b"},
    "line-separator": {"script": "echo a\u2028echo b\u2029echo c"},
    "carriage-return": {"script": "echo a\recho b\r\necho c"},
    "no-break-space-is-a-word": {"script": "echo a\u00a0b"},
    "unicode": {"script": "echo 'grüße 🎉 日本'"},
    "combining": {"script": "printf %s e\u0301"},
    "exit-one": {"script": "false"},
    "exit-seven": {"script": "sh -c 'echo why >&2; exit 7'"},
    "exit-second-line": {"script": "echo ok\nsh -c 'exit 3'\necho never"},
    "exit-255": {"script": "sh -c 'exit 255'"},
    "stderr-of-all-lines": {"script": "sh -c 'echo first >&2'\nsh -c 'echo second >&2; exit 2'"},
    "killed": {"script": "sh -c 'kill -9 $$'"},
    "terminated": {"script": "sh -c 'kill -15 $$'"},
    "missing-program": {"script": "no-such-program-at-all x"},
    "missing-path": {"script": "./no/such"},
    "empty-program": {"script": "'' x"},
    "directory-as-program": {"script": "./sub"},
    "not-executable": {"script": "sub/plain"},
    "no-shebang": {"script": "./noshebang"},
    "builtin": {"script": "cd sub"},
    "relative-program": {"script": "sub/tool a 'b c'"},
    "directory": {"script": "cat name.txt", "directory": "sub"},
    "directory-dotted": {"script": "cat name.txt", "directory": "./sub/../sub/"},
    "directory-absolute": {"script": "cat name.txt", "directory": "<dir>/sub"},
    "directory-relative-program": {"script": "./tool x", "directory": "sub"},
    "directory-missing": {"script": "echo x", "directory": "nowhere"},
    "directory-file": {"script": "echo x", "directory": "words.txt"},
    "directory-empty": {"script": "echo x", "directory": ""},
    "directory-null": {"script": "cat words.txt", "directory": None},
    "directory-number": {"script": "echo x", "directory": 99},
    "directory-list": {"script": "echo x", "directory": ["sub"]},
    "env": {"script": "printenv NEW", "env": {"NEW": "new value"}},
    "env-overrides": {"script": "printenv WHO", "env": {"WHO": "you"}},
    "env-empty-value": {"script": "sh -c 'echo [$WHO]'", "env": {"WHO": ""}},
    "env-null": {"script": "printenv WHO", "env": None},
    "env-empty": {"script": "printenv WHO", "env": {}},
    "env-number": {"script": "echo x", "env": {"N": 1}},
    "env-true": {"script": "echo x", "env": {"N": True}},
    "env-null-value": {"script": "echo x", "env": {"N": None}},
    "env-equals-in-name": {"script": "echo x", "env": {"A=B": "c"}},
    "env-text": {"script": "echo x", "env": "A=B"},
    "env-unicode": {"script": "printenv NAME", "env": {"NAME": "grüße"}},
    "env-path": {"script": "tool x", "env": {"PATH": "<dir>/sub"}},
    "env-path-relative": {"script": "tool x", "env": {"PATH": "sub:/usr/bin"}},
    "env-path-trailing-slash": {"script": "tool x", "env": {"PATH": "nowhere/:sub/"}},
    "env-path-empty-entry": {"script": "tool x", "directory": "sub", "env": {"PATH": "/nowhere:"}},
    "env-path-without": {"script": "tool x", "env": {"PATH": "/nowhere"}},
    "env-path-skips-not-executable": {"script": "words.txt x", "env": {"PATH": ".:/nowhere"}},
    "expand": {"script": "echo $WHO ${WHO}x", "expand_env_vars": True},
    "expand-case": {"script": "echo $Who $who $WHO", "expand_env_vars": True},
    "expand-unset": {"script": "echo $UNSET_HERE ${UNSET_HERE}", "expand_env_vars": True},
    "expand-escaped": {"script": "echo $$WHO $$$WHO $$", "expand_env_vars": True},
    "expand-malformed": {"script": "echo $ $1 ${WHO ${} ${1} $-x a$", "expand_env_vars": True},
    "expand-splits": {"script": "printf '[%s]' $TWO", "expand_env_vars": True},
    "expand-in-quotes": {"script": "printf '[%s]' '$TWO' \"$TWO\"", "expand_env_vars": True},
    "expand-lines": {"script": "printf '[%s]' $LINES2", "expand_env_vars": True},
    "expand-once": {"script": "echo $DOLLAR", "expand_env_vars": True},
    "expand-quote-breaks": {"script": "echo $QUOTE", "expand_env_vars": True},
    "expand-empty-program": {"script": "$EMPTY", "expand_env_vars": True},
    "expand-env": {"script": "echo $NEW $WHO", "expand_env_vars": True, "env": {"NEW": "n"}},
    "expand-unicode-name": {"script": "echo $WHOé $\u212aEY $_U1", "expand_env_vars": True},
    "expand-default-off": {"script": "echo $WHO", "expand_env_vars": False},
    "expand-text-false": {"script": "echo $WHO", "expand_env_vars": "false"},
    "expand-zero": {"script": "echo $WHO", "expand_env_vars": 0},
    "shell": {"script": "echo $WHO | tr a-z A-Z && echo done", "shell": True},
    "shell-lines-apart": {"script": "X=1\necho [$X]", "shell": True},
    "shell-comment": {"script": "# nothing\necho x # more", "shell": True},
    "shell-blank": {"script": "\n  \n\u2003\necho x", "shell": True},
    "shell-redirect": {"script": "echo y > made.txt\ncat made.txt", "shell": True},
    "shell-exit": {"script": "echo no >&2; exit 4", "shell": True},
    "shell-exit-127": {"script": "exit 127", "shell": True},
    "shell-pipe-status": {"script": "false | true", "shell": True},
    "shell-killed": {"script": "kill -9 $$", "shell": True},
    "shell-directory": {"script": "cat name.txt | cat", "shell": True, "directory": "sub"},
    "shell-directory-missing": {"script": "true", "shell": True, "directory": "nowhere"},
    "shell-expand": {"script": "echo '$WHO'", "shell": True, "expand_env_vars": True},
    "shell-env": {"script": "echo $NEW", "shell": True, "env": {"NEW": "a  b"}},
    "shell-text": {"script": "echo a | cat", "shell": "no"},
    "shell-background": {"script": "(sleep 0.2; echo late) & echo soon", "shell": True},
    "bad-bytes": {"script": "printf 'a\\377b\\300\\257c'"},
    "cut-sequences": {"script": "printf 'x\\342\\202y\\360\\237\\216z\\360\\237'"},
    "surrogate-bytes": {"script": "printf '\\355\\240\\200|\\364\\220\\200\\200|\\360\\200\\200\\200'"},
    "bad-bytes-on-stderr": {"script": "printf '\\376' >&2; exit 5", "shell": True},
    "nul-output": {"script": "printf 'a\\000b'"},
    "carriage-returns-in-output": {"script": "printf 'a\\r\\nb\\rc\\r\\n'"},
    "no-newline-at-end": {"script": "printf abc\nprintf def"},
    "large": {"script": "seq 1 2000"},
    "stdin-is-empty": {"script": "cat"},
    "nul-in-word": {"script": "echo a\x00b"},
    "quiet": {"script": "echo x", "stream_output": False},
    "script-missing": {},
    "script-null": {"script": None},
    "script-number": {"script": 12},
    "script-true": {"script": True},
    "script-list": {"script": ["echo", "x"]},
    "script-mapping": {"script": {"a": 1}},
    "unknown-argument": {"script": "echo x", "cwd": "sub"},
}


def folder():
    made = Path(os.path.realpath(tempfile.mkdtemp()))
    (made / "sub").mkdir()
    (made / "sub" / "name.txt").write_text("in sub\n")
    (made / "sub" / "tool").write_text("#!/bin/sh\nprintf '<%s>' \"$@\"\n")
    (made / "sub" / "tool").chmod(0o755)
    (made / "sub" / "plain").write_text("x\n")
    (made / "noshebang").write_text("echo x\n")
    (made / "noshebang").chmod(0o755)
    (made / "words.txt").write_text("some words\n")
    return made


def swap(value, old, new):
    if isinstance(value, str):
        return value.replace(old, new)
    if isinstance(value, dict):
        return {key: swap(item, old, new) for key, item in value.items()}
    return value


def run(inputs):
    from prefect.deployments.steps.utility import run_shell_script

    made = folder()
    os.chdir(made)
    try:
        done = asyncio.run(run_shell_script(**swap(inputs, "<dir>", str(made))))
        return {"outputs": swap(done, str(made), "<dir>")}
    except RuntimeError as fault:
        text = str(fault)
        code, _, stderr = text.partition("error code ")[2].partition(": ")
        return {"code": int(code), "stderr": swap(stderr, str(made), "<dir>")}
    except Exception as fault:
        return {"error": type(fault).__name__}


def texts():
    """Hostile texts: some by hand, many from a fixed dice."""
    dice = random.Random(20)
    parts = ["a", "bc", " ", "  ", "\t", "\n", "\r", "\r\n", "\\", "'", '"', "$", "${", "}", "$$", "WHO", "$WHO", "${TWO}", "#", "\x0b", "\x0c", "\x1c", "\x1d",
             "\x1e", "\x1f", "\x85", "\u2028", "\u2029", "\u00a0", "\u3000", "\ufeff", "é", "🎉", "_", "1", "-", "=", "|", ";", "\u017f", "\u212a"]
    made = ["", " ", "'", "\\", "$", "a'b\"c'd\"e", "\ud7ff", "\x00"]
    while len(made) < 600:
        made.append("".join(dice.choice(parts) for _ in range(dice.randint(1, 9))))
    return made


def split(text):
    try:
        return shlex.split(text)
    except ValueError as fault:
        return str(fault)


def python_text():
    dice = random.Random(21)
    edges = [0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF]
    pieces = [bytes(dice.choice(edges) for _ in range(dice.randint(1, 7))) for _ in range(1200)]
    return {
        "texts": [{"text": t, "splitlines": t.splitlines(), "strip": t.strip(), "split": split(t), "substitute": string.Template(t).safe_substitute(ENV)} for t in texts()],
        "decode": [[piece.hex(), piece.decode(errors="replace")] for piece in pieces],
        "space": [c for c in range(sys.maxunicode) if chr(c).isspace()],
        "line_ends": [c for c in range(sys.maxunicode) if len(("a" + chr(c) + "a").splitlines()) == 2],
    }


def main():
    target = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    target = target.resolve()
    import prefect  # noqa: F401  (reads the environment it needs before that is replaced)
    from prefect.deployments.steps import utility  # noqa: F401

    quiet = os.open(os.devnull, os.O_RDWR)
    os.dup2(quiet, 0)
    sys.stdout = sys.stderr = open(os.devnull, "w")
    os.environ.clear()
    os.environ.update(ENV)
    cases = [{"name": name, "inputs": inputs, **run(inputs)} for name, inputs in CASES.items()]
    for file, content in (("shell.golden.json", {"env": ENV, "cases": cases}), ("pytext.golden.json", python_text())):
        lines = json.dumps(content, ensure_ascii=True, indent=None if file.startswith("py") else 1)
        (target / file).write_text(lines + "\n")


main()
