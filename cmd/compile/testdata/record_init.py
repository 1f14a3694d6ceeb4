"""Asks a real Prefect 3.8.8 what `prefect init` leaves in directories and git repositories of many kinds; writes init.json.

    bin/python testdata/record_init.py testdata/init.json
    bin/python testdata/record_init.py again.json 3          every third case

Each case is a directory with some files, git commands that are run in it, and a command line, given to the program itself in a process of its own that has no terminal. What
is kept is the exit code, the names of new files, prefect.yaml as the tree that PyYAML loads, and the patterns of .prefectignore. The directory's own path stands as DIR.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import yaml
import prefect.deployments.base  # noqa: F401 loaded once, for all of the processes
from prefect.cli import app

RECIPES = {"local": [], "git": [], "docker": ["image_name", "tag"], "docker-git": ["image_name", "tag"], "docker-s3": ["image_name", "tag", "bucket"], "docker-gcs": ["image_name", "tag", "bucket"],
           "docker-azure": ["image_name", "tag", "container"], "s3": ["bucket"], "gcs": ["bucket"], "azure": ["container"]}
VALUES = {"image_name": "registry.example.com:5000/team/app", "tag": "1.0", "bucket": "code", "container": "kept"}
REPOSITORY = [["init", "-q", "-b", "main"], ["remote", "add", "origin", "https://git.example.com/team/code.git"]]
COMMIT = ["-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "--allow-empty", "-m", "a"]


def fields(names):
    return [word for n in names for word in ("--field", f"{n}={VALUES[n]}")]


def cases():
    for recipe, wanted in RECIPES.items():
        for about, git in (("", []), (" in a repository", [*REPOSITORY, COMMIT])):
            for dockerfile in ({}, {"Dockerfile": "FROM scratch\n"}):
                yield {"about": f"{recipe}{about}{', Dockerfile' if dockerfile else ''}", "git": git, "files": dockerfile, "args": ["--recipe", recipe, *fields(wanted)]}
        for left in range(len(wanted)):
            yield {"about": f"{recipe} without {wanted[left]}", "args": ["--recipe", recipe, *fields(wanted[:left] + wanted[left + 1:])]}
        yield {"about": f"{recipe}, a name of its own", "args": ["--recipe", recipe, "--name", "sales", *fields(wanted)]}
        yield {"about": f"{recipe}, the field name", "args": ["--recipe", recipe, "--field", "name=elsewhere", *fields(wanted)]}
        yield {"about": f"{recipe}, a field that it has not", "args": ["--recipe", recipe, "--field", "colour=red", *fields(wanted)]}
    for about, git in (("nothing", []), ("a repository without a remote", [["init", "-q"]]), ("a repository", [*REPOSITORY, COMMIT])):
        for dockerfile in ({}, {"Dockerfile": "FROM scratch\n"}):
            yield {"about": f"no recipe, {about}{', Dockerfile' if dockerfile else ''}", "git": git, "files": dockerfile, "args": []}
    yield {"about": "no recipe, Dockerfile, fields", "files": {"Dockerfile": ""}, "args": fields(["image_name", "tag"])}
    yield {"about": "no recipe, Dockerfile in a repository, fields", "git": [*REPOSITORY, COMMIT], "files": {"Dockerfile": ""}, "args": fields(["image_name", "tag"])}
    yield {"about": "no recipe, a Dockerfile that is a folder", "files": {"Dockerfile/x": ""}, "args": fields(["image_name", "tag"])}
    yield from names()
    yield from values()
    yield from repositories()
    yield from others()


def names():
    for name in ["my project", "übung", "it's \"x\"", "a: b", "x #1", "123", "1.5", "0x10", "1e3", "true", "Yes", "null", "~", "-", "- a", "{{ name }}", "{a}", "[a]", "*a", "&a", "!a", "%a", "@a", "`a`", "2024-01-01",
                 "12:30:45", "=", "<<", "?", "? a", "a:", ":a", "a ", " a", "a\tb", "a\nb", "_1", "1_000", "😀", "\u00a0", "\u2028x", ".", "..a", "a\\nb", "|", ">", "'", '"', "a,b", "a\x7fb", "\ufeffa", "\x85"]:
        if name != ".":
            yield {"about": f"the directory {name!r}", "dir": name, "args": ["--recipe", "docker", "--field", "image_name=app", "--field", "tag=v1"]}
    yield {"about": "a name that is none", "args": ["--recipe", "local", "--name", ""]}
    yield {"about": "a name with colons", "args": ["--recipe", "local", "--name", "a: {b}"]}


def values():
    for v in ["", "latest", "1.0", "007", "on", "a=b=c", "{{ $REGISTRY }}/app", "{{ prefect.variables.tag }}", "{{ tag }}", "{{ image_name }}", "two\nlines", "x\ty", "ä 😀", "#c", "a: b", " a ", "\\", "'\"", "{{", "}}", "null", "%TAG"]:
        yield {"about": f"the value {v!r}", "args": ["--recipe", "docker", "--field", f"image_name={v}", "--field", f"tag=<{v}>"]}
    for recipe, extra in (("git", "repository=https://git.example.com/other.git"), ("git", "branch=dev"), ("docker-git", "repository=git@example.com:a/b.git"), ("local", "directory=/srv/flows"), ("docker", "dockerfile=images/Dockerfile"),
                          ("docker-s3", "dockerfile=auto")):
        for git in ([], [*REPOSITORY, COMMIT]):
            yield {"about": f"{recipe} with {extra}{' in a repository' if git else ''}", "git": git, "args": ["--recipe", recipe, *fields(RECIPES[recipe]), "--field", extra]}
    yield {"about": "git with both fields", "args": ["--recipe", "git", "--field", "repository=https://git.example.com/other.git", "--field", "branch=dev"]}
    yield {"about": "a field twice", "args": ["--recipe", "s3", "--field", "bucket=a", "--field", "bucket=b"]}
    yield {"about": "a field without a value", "args": ["--recipe", "s3", "--field", "bucket"]}
    yield {"about": "short", "args": ["--recipe", "s3", "-f", "bucket=a"]}


def remote(url):
    return [["init", "-q", "-b", "main"], ["config", "remote.origin.url", url], COMMIT]


def repositories():
    for url in ["https://git.example.com/a/b", "git@github.com:team/code.git", "ssh://git@example.com:22/a.git", "/srv/git/code.git", "../code.git", "file:///srv/code.git", "https://me@git.example.com/a.git",
                "https://me:canary-1@git.example.com/a.git", "https://canary-2@git.example.com/a.git", "https://git.example.com/a b.git", "https://git.example.com/a#b", "https://git.example.com/a;b", 'https://git.example.com/"a"',
                "https://git.example.com/a\\b", "https://git.example.com/ä", "", " x ", "ssh://git:canary-3@example.com/a.git", "https://git.example.com/a?token=canary-4"]:
        yield {"about": f"the remote {url!r}", "git": remote(url), "args": []}
    base = REPOSITORY
    yield {"about": "another branch", "git": [*base, COMMIT, ["checkout", "-q", "-b", "feature/x-1"]], "args": []}
    yield {"about": "a branch like a number", "git": [*base, COMMIT, ["checkout", "-q", "-b", "1.0"]], "args": []}
    yield {"about": "a branch of unicode", "git": [*base, COMMIT, ["checkout", "-q", "-b", "ü/😀"]], "args": []}
    yield {"about": "a branch without a commit", "git": base, "args": []}
    yield {"about": "no branch", "git": [*base, COMMIT, ["checkout", "-q", "--detach"]], "args": []}
    yield {"about": "a folder of a repository", "git": [*base, COMMIT], "in": "services/a", "args": []}
    yield {"about": "another remote", "git": [["init", "-q"], ["remote", "add", "upstream", "https://git.example.com/a.git"], COMMIT], "args": []}
    yield {"about": "two addresses", "git": [*base, ["config", "--add", "remote.origin.url", "https://git.example.com/second.git"], COMMIT], "args": []}
    yield {"about": "an address to push to", "git": [*base, ["config", "remote.origin.pushurl", "https://git.example.com/push.git"], COMMIT], "args": []}
    yield {"about": "an address that is rewritten", "git": [*base, ["config", "url.ssh://git@example.com/.insteadOf", "https://git.example.com/"], COMMIT], "args": []}
    yield {"about": "a worktree", "git": [*base, COMMIT, ["worktree", "add", "-q", "-b", "beside", "tree"]], "in": "tree", "args": []}
    yield {"about": "a worktree with settings of its own", "git": [*base, COMMIT, ["config", "extensions.worktreeConfig", "true"], ["worktree", "add", "-q", "-b", "beside", "tree"],
                                                                   ["-C", "tree", "config", "--worktree", "remote.origin.url", "https://git.example.com/tree.git"]], "in": "tree", "args": []}
    yield {"about": "git's folder elsewhere", "git": [["init", "-q", "-b", "main", "--separate-git-dir", "kept", "work"], ["-C", "work", "config", "remote.origin.url", "https://git.example.com/a.git"], ["-C", "work", *COMMIT]], "in": "work", "args": []}
    yield {"about": "a submodule's folder", "git": [*base, COMMIT, ["init", "-q", "-b", "side", "sub"], ["-C", "sub", "config", "remote.origin.url", "https://git.example.com/sub.git"], ["-C", "sub", *COMMIT]], "in": "sub", "args": []}
    yield {"about": "settings from another file", "git": [*base, ["config", "include.path", "../more"], COMMIT], "files": {"more": "[remote \"origin\"]\n\turl = https://git.example.com/more.git\n"}, "args": []}
    yield {"about": "a file .git that leads nowhere", "files": {".git": "gitdir: gone\n"}, "args": []}
    yield {"about": "a folder .git that is no repository", "files": {".git/x": ""}, "args": []}
    for about, config in CONFIGS.items():
        yield {"about": "settings: " + about, "git": [["init", "-q", "-b", "main"]], "files": {".git/config": "[core]\n\trepositoryformatversion = 0\n" + config}, "args": []}


CONFIGS = {
    "a quoted value": '[remote "origin"]\n\turl = "https://git.example.com/a b#c;d" ; more\n',
    "escapes": '[remote "origin"]\n\turl = "a\\"b\\\\c\\td"\n',
    "half quoted": '[remote "origin"]\n\turl = a" b "c  d # more\n',
    "capitals": '[REMOTE "origin"]\n\tURL = https://git.example.com/a\n',
    "a remote in capitals": '[remote "Origin"]\n\turl = https://git.example.com/a\n',
    "all on one line": '[remote "origin"] url = https://git.example.com/a\n',
    "the old form": "[remote.origin]\n\turl = https://git.example.com/a\n",
    "the old form in capitals": "[remote.ORIGIN]\n\turl = https://git.example.com/a\n",
    "a line that goes on": '[remote "origin"]\n\turl = https://git.exam\\\nple.com/a\n',
    "carriage returns": '[remote "origin"]\r\n\turl = https://git.example.com/a\r\n',
    "no value": '[remote "origin"]\n\turl\n',
    "an empty value": '[remote "origin"]\n\turl =\n',
    "two sections": '[remote "origin"]\n\turl = first\n[branch "x"]\n\turl = no\n[remote "origin"]\n\turl = second\n',
    "a comment": '# [remote "origin"]\n;url = x\n[remote "origin"] ; url = no\n\t# url = no\n\turl = yes\n',
    "an escaped name": '[remote "or\\igin"]\n\turl = x\n',
    "broken": '[remote "origin"\n\turl = x\n',
    "broken behind it": '[remote "origin"]\n\turl = x\n\t=\n',
    "no line feed at the end": '[remote "origin"]\n\turl = https://git.example.com/a',
}


def others():
    yield {"about": "an unknown recipe", "args": ["--recipe", "dokcer"]}
    yield {"about": "a prefect.yaml that is there", "files": {"prefect.yaml": "name: kept\n"}, "args": ["--recipe", "local"]}
    yield {"about": "both files there", "files": {"prefect.yaml": "name: kept\n", ".prefectignore": "kept/\n"}, "args": []}
    yield {"about": "a .prefectignore that is there", "files": {".prefectignore": "kept/\n"}, "args": []}
    yield {"about": "a broken prefect.yaml", "files": {"prefect.yaml": "a: [\n"}, "args": []}


def carried_out(cwd, args):
    """The exit code of `prefect init`, in a child that has nothing to read from and nowhere to ask."""
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            os.chdir(cwd)
            null = os.open(os.devnull, os.O_RDWR)
            for fd in (0, 1, 2):
                os.dup2(null, fd)
            sys.argv = ["prefect", "init", *args]
            code = app() or 0
        except SystemExit as e:
            code = e.code if isinstance(e.code, int) else int(e.code is not None)
        except BaseException:
            code = 1
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def record(case, base):
    home = pathlib.Path(tempfile.mkdtemp(dir=base)).resolve()
    root = home / case.get("dir", "project")
    root.mkdir()
    env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CEILING_DIRECTORIES": str(home)}
    for command in case.get("git", []):
        subprocess.run(["git", *command], cwd=root, check=True, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for name, text in case.get("files", {}).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(text.encode())
    cwd = root / case.get("in", "")
    cwd.mkdir(parents=True, exist_ok=True)
    before = set(os.listdir(cwd))
    out = {**case, "exit": carried_out(cwd, case["args"])}
    out["created"] = sorted(set(os.listdir(cwd)) - before)
    if "prefect.yaml" in out["created"]:
        text = (cwd / "prefect.yaml").read_text(encoding="utf-8")
        out["tree"] = json.loads(json.dumps(yaml.safe_load(text), default=repr).replace(json.dumps(str(cwd))[1:-1], "DIR"))
    return out


def main(path, every="1"):
    os.environ.update({"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "PREFECT_LOGGING_LEVEL": "CRITICAL"})
    with tempfile.TemporaryDirectory() as base:
        os.environ["GIT_CEILING_DIRECTORIES"] = base
        recorded = [record(c, base) for c in list(cases())[:: int(every)]]
        subject = pathlib.Path(base) / "ignore"
        subject.mkdir()
        carried_out(subject, ["--recipe", "local"])
        ignore = [line for line in (subject / ".prefectignore").read_text().splitlines() if line and not line.startswith("#")]
    lines = ",\n".join(json.dumps(c, sort_keys=True) for c in recorded)
    with open(path, "w") as f:
        f.write('{"ignore": ' + json.dumps(ignore) + ',\n"cases": [\n' + lines + "\n]}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
