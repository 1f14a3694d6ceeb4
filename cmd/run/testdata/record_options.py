"""Asks a real Prefect 3.8.8 for the options of `prefect deploy`, and what it makes of command lines; writes options.json.

    bin/python testdata/record_options.py testdata/options.json
"""
import json
import pathlib
import sys
import typing

import prefect.cli._app as program
import prefect.cli.deploy._commands as deploy

LINES = [
    [], ["flow.py:f"], ["--", "flow.py:f"], ["--entrypoint", "flow.py:f"], ["a.py:f", "b.py:f"], ["a.py:f", "--entrypoint", "b.py:f"],
    ["-n", "a", "-n", "b/c", "flow.py:f"], ["--name=a", "-nb"], ["-n=a"], ["--name", "a", "b"], ["--name", ""], ["--name", "-1"], ["--name", "-x"], ["--name", "--all"], ["--name=--all"], ["--name"],
    ["--name", "-"], ["--name", "-1.5e3"], ["--name", "-0x10"], ["--empty-name"], ["--name", "x", "--empty-name"], ["--empty-name", "--name", "x"],
    ["-d", "x", "-q", "y", "-p", "z"], ["--description", "x", "--description", "y"], ["-d", "x", "--description", "y"], ["--description", ""], ["--description="], ["--description", "-x"], ["--description=-x"],
    ["-d", "two\nlines"], ["--version", "2"], ["--version", "1", "--version", "2"], ["--version-type", "vcs:git"], ["--version-type", "foo"], ["--version_type", "vcs:git"],
    ["-t", "a", "-t", "b"], ["--tag", "[\"a\",\"b\"]"], ["--tag", "a,b"], ["--tag", ""], ["--empty-tag"], ["--empty-tag=false"], ["--empty-tag=no", "--tag", "x"], ["--empty-tag", "--empty-tag"], ["-ntx"],
    ["--concurrency-limit", "5"], ["-cl", "5"], ["--concurrency-limit", "-5"], ["--concurrency-limit", "+5"], ["--concurrency-limit", "5.0"], ["--concurrency-limit", "2.5"], ["--concurrency-limit", "3.5"],
    ["--concurrency-limit", "0x10"], ["--concurrency-limit", "0b11"], ["--concurrency-limit", "0o17"], ["--concurrency-limit", "017"], ["--concurrency-limit", "1_000"], ["--concurrency-limit", "1__0"],
    ["--concurrency-limit", "_1"], ["--concurrency-limit", " 7 "], ["--concurrency-limit", ""], ["--concurrency-limit", "1e3"], ["--concurrency-limit", "x"], ["--concurrency-limit", "true"], ["--concurrency-limit", "1", "-cl", "2"],
    ["--concurrency-limit", "5", "--collision-strategy", "CANCEL_NEW"], ["--collision-strategy", "ENQUEUE"], ["--collision-strategy", "BAD"],
    ["--pool", "p"], ["-p", "p", "-p", "q"], ["--work-queue", "q"], ["--work-pool", "p"], ["--poo", "p"],
    ["--job-variable", "a=b"], ["-jv", "a=b", "-jv", "{\"x\": 1}"], ["--job_variable", "a=b"], ["-jv", "[1]"], ["-jv"], ["--empty-job-variable"],
    ["--cron", "* * * * *", "--cron", "0 0 * * *"], ["--cron", "[\"0 0 * * *\"]"], ["--empty-cron"],
    ["--interval", "10", "--interval", "20"], ["--interval", "[1,2]"], ["--interval", "1,2"], ["--interval", "1.0"], ["--interval", "0x10"], ["--interval", "x"], ["--interval", "-1"], ["--interval", "PT1H"], ["--empty-interval"],
    ["--anchor-date", "2024-01-01"], ["--anchor-date", "2024-01-01", "--anchor-date", "2025-01-01"], ["--rrule", "FREQ=DAILY", "--rrule", "{\"rrule\": \"FREQ=DAILY\"}"], ["--empty-rrule"],
    ["--timezone", "Europe/Berlin"], ["--timezone"],
    ["--trigger", "{\"a\": 1}", "--trigger", "t.yaml"], ["--trigger", "[{\"a\": 1}]"], ["--empty-trigger"], ["--sla", "{\"a\": 1}"], ["--sla", "s.json", "--sla", "t.yaml"], ["--empty-sla"],
    ["--param", "a=1", "--param", "b=x=y"], ["--param", "b"], ["--param", "a={\"b\": 1}"], ["--empty-param"], ["--params", "{\"a\": 1}"], ["--params", "{}", "--params", "{}"], ["--param", "a=1", "--params", "{}"],
    ["--enforce-parameter-schema"], ["--no-enforce-parameter-schema"], ["--enforce-parameter-schema=false"], ["--enforce-parameter-schema=0"], ["--enforce-parameter-schema=maybe"],
    ["--enforce-parameter-schema=off"], ["--enforce-parameter-schema=Yes"], ["--no-enforce-parameter-schema=false"], ["--enforce-parameter-schema", "--no-enforce-parameter-schema"],
    ["--enforce-parameter-schema", "false"], ["--enforce_parameter_schema=n"],
    ["--all"], ["--no-all"], ["--all=false"], ["--all=yes"], ["--all=T"], ["--all", "--no-all"], ["--all", "--all"],
    ["--prefect-file", "a/b.yaml"], ["--prefect-file=x"], ["--prefect_file", "x"], ["--prefect-file"],
    ["--unknown"], ["--des", "x"], ["--TAG", "x"], ["-x"], ["-T", "x"],
]

# What `prefect` takes itself, before it hands the rest to deploy.
SESSION = [["--profile", "x"], ["--profile=x"], ["--prompt"], ["--no-prompt"], ["--prompt=false"]]


def parse(args):
    try:
        _, bound, *_ = program._app.parse_args(program._normalize_top_level_flags(["deploy", *args]), exit_on_error=False, print_error=False)
    except Exception:
        return {"args": args, "error": True}
    return {"args": args, "values": {name: str(v) if isinstance(v, pathlib.Path) else v for name, v in bound.arguments.items()}}


def session(args):
    try:
        _, bound, *_ = program._app.meta.parse_args(program._normalize_top_level_flags(["deploy", *args]), exit_on_error=False, print_error=False)
    except Exception:
        return {"args": args, "error": True}
    return {"args": args, "values": {name: v for name, v in bound.arguments.items() if name in ("profile", "prompt")}}


def options():
    for argument in [*program._app.meta.assemble_argument_collection(), *deploy.deploy_app.assemble_argument_collection()]:
        if argument.parameter.show is False and argument.names != ("--entrypoint",) or not argument.names[0].startswith("--"):
            continue
        tokens, repeats = argument.token_count()
        yield {"names": list(argument.names), "value": tokens > 0 and bool not in typing.get_args(argument.hint), "repeatable": repeats}


recorded = {
    "options": [*options(), *({"names": [short, long], "value": True, "repeatable": long != "--concurrency-limit"} for short, long in program._MULTICHAR_SHORT_FLAGS.items())],
    "lines": [parse(args) for args in LINES] + [session(args) for args in SESSION],
}
with open(sys.argv[1], "w") as f:
    for key, rows in recorded.items():
        f.write(("{" if key == "options" else ",\n") + json.dumps(key) + ": [\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "]")
    f.write("}\n")
