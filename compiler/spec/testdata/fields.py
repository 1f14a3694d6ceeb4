#!/usr/bin/env python3
"""fields.py OUT: what Prefect's own model of prefect.yaml says to values of right and wrong types in every field.

Each line of OUT is a JSON array: a document, and the lines (from 1) of the fields at fault, empty when Prefect takes the document. Every field of the
documents stands on a line of its own; a fault deeper inside a one-line value counts for that line.
"""
import json
import os
import sys
import tempfile

os.environ.setdefault("PREFECT_HOME", tempfile.mkdtemp())

import yaml
from prefect.cli.deploy._models import PrefectYamlModel
from pydantic import ValidationError

VALUES = ["", "~", "text", "''", "'12'", "'1.0'", "'1.5'", "' 7 '", "'1_000'", "'+5'", "'-5'", "'0x10'", "'1e3'", "'010'", "12", "0", "1", "-3", "2", "12345678901234567890123", "1.0", "1.5", "0.0", "1.0e+20", ".inf", "-.inf", ".nan", "true", "false", "'true'", "'yes'", "'no'", "'On'", "'T'", "'F'", "'2'", "' true'", "yes",
          "2024-01-02", "2024-01-02T03:04:05Z", "'2024-01-02'", "[]", "{}", "[a]", "[a, b, 1, ~]", "[{a: 1}]", "[[a]]", "[~]", "{a: 1}", "{1: a}", "{~: a}", "{true: a}", "{1.5: a}", "{2024-01-02: a}", "{a: {1: b}}", "[{1: a}]", "[{a: {b: c}}]", "[{}]", "[{a: 1, b: 2}]", "[{a.b: {}}]", "{a.b: {}}", "{a.b: ~}",
          "\"{{ x }}\"", "\"a {{ x }}\"", "\"{{ $X }}\"", "!!binary aGk=", "!!set {a}", "!!int '5'", "!!float 2", "é", "PT10M", "P1D", "P1Y", "'10:00'", "'00:10:00'", "1:30", "'1 day'", "600", "'600'", "-600", "600.5", "0", "-0.5", "1e3", "'P1W'", "'PT1M30.5S'", "'-PT5M'", "'+PT5M'", "'1d,10:00:00'", "'1 day, 10:00:00'", "99999999999999", "86399999999999.9"]
SMALL = ["", "text", "12", "1.5", "true", "'yes'", "2024-01-02", "[]", "{}", "[a]", "{a: 1}", "{1: a}", "\"{{ x }}\"", "[{}]", "0", "1", "'12'", "'1.0'", "2.0", "PT10M", "'10:00'", "-5"]


def put(path, value):
    """A document with a value at a path like deployments/0/schedules/0/cron, and what else is needed beside it."""
    parts = path.split("/")
    if parts[0] != "deployments" or len(parts) == 1:
        return f"{parts[0]}: {value}\n"
    out = "deployments:\n  - %s\n" % ("name: d" if parts[2] == "entrypoint" else "entrypoint: f.py:f")
    if len(parts) == 3:
        return out + f"    {parts[2]}: {value}\n"
    if len(parts) == 4:
        return out + f"    {parts[2]}:\n      {parts[3]}: {value}\n"
    extra = {"schedules": "        cron: '0 0 * * *'\n", "sla": "        name: n\n        duration: 5\n", "triggers": "        enabled: true\n"}[parts[2]]
    if parts[4] in ("cron", "interval", "rrule", "name", "duration", "within", "stale_after"):
        extra = "        timezone: UTC\n" if parts[2] == "schedules" else "        name: n\n" if parts[4] != "name" else "        duration: 5\n"
    return out + f"    {parts[2]}:\n      - {parts[4]}: {value}\n{extra}"


def documents():
    full = ["prefect-version", "name", "build", "push", "pull", "deployments", "definitions", "other"]
    full += ["deployments/0/" + k for k in ["name", "version", "version_type", "tags", "description", "schedule", "schedules", "paused", "concurrency_limit", "flow_name", "entrypoint", "parameters", "enforce_parameter_schema", "build", "push", "pull", "work_pool", "triggers", "sla", "other"]]
    for path in full:
        for v in VALUES:
            yield put(path, v)
    small = ["deployments/0/work_pool/" + k for k in ["name", "work_queue_name", "job_variables", "other"]]
    small += ["deployments/0/concurrency_limit/" + k for k in ["limit", "collision_strategy", "grace_period_seconds", "other"]]
    small += ["deployments/0/schedule/" + k for k in ["cron", "interval", "rrule", "other"]]
    small += ["deployments/0/schedules/0/" + k for k in ["timezone", "anchor_date", "active", "parameters", "slug", "replaces", "day_or", "other"]]
    small += ["deployments/0/sla/0/" + k for k in ["name", "severity", "enabled", "duration", "within", "stale_after", "other"]]
    small += ["deployments/0/triggers/0/" + k for k in ["enabled", "match", "name", "threshold"]]
    for path in small:
        for v in SMALL:
            yield put(path, v)
    for kind in ["cron", "interval", "rrule"]:
        for v in VALUES:
            yield put("deployments/0/schedules/0/" + kind, v)
    wholes = ["{}", "{cron: '* * * * *', interval: 5}", "{cron: '* * * * *', interval: ~}", "{cron: ~}", "{timezone: UTC}", "{active: true}", "{interval: 5, rrule: x}", "{interval: 60, anchor_date: 2024-01-01}", "{interval: 60, anchor_date: 2024-01-01T00:00:00Z}", "{interval: 60, anchor_date: '2024-01-01'}", "{interval: 60, anchor_date: x}", "{interval: 60, anchor_date: ~}",
              "{cron: '0 0 * * *', anchor_date: 2024-01-01}", "{cron: bad}", "{cron: bad, timezone: 5}", "{rrule: 'FREQ=DAILY'}", "{rrule: ''}", "{schedule: {cron: '0 0 * * *'}}", "{schedule: {cron: '0 0 * * *'}, active: false}", "{schedule: {interval: 60}}", "{schedule: {interval: 60}, max_scheduled_runs: 3}", "{schedule: {cron: bad}}", "{schedule: {}}", "{schedule: ~}", "{schedule: {cron: '0 0 * * *'}, other: 1}",
              "{cron: '0 0 * * *', max_active_runs: 1}", "{cron: '0 0 * * *', catchup: false}", "{cron: '0 0 * * *', Timezone: UTC}", "{interval: 60, timezone: Europe/Berlin, anchor_date: 2024-01-01}", "{cron: '0 0 * * *', day_or: 'x'}", "{cron: '0 0 * * *', day_or: 1, timezone: 1}", "{interval: true}", "{interval: PT5M, slug: 1}", "{cron: '0 0 * * *', parameters: ~}", "{cron: '0 0 * * *', parameters: {1: a}}", "{interval: 60, active: maybe}", "{interval: 60, active: 7}"]
    for v in wholes:
        yield put("deployments/0/schedule", v)
        yield put("deployments/0/schedules", "[" + v + "]")
    for v in ["[x, {cron: '* * * * *'}]", "[~]", "[[]]", "'0 0 * * *'", "[{cron: '* * * * *'}, {}]"]:
        yield put("deployments/0/schedules", v)
    for v in ["{name: n, duration: 5}", "[{name: n}]", "[{duration: 5}]", "[{name: n, duration: 5, within: 5}]", "[{name: n, duration: x, within: 5}]", "[{name: n, duration: 5, extra: 1}]", "[x]", "[~]", "[{name: n, severity: bad, duration: 5}]", "[{name: n, severity: critical, stale_after: PT5M, enabled: no}]"]:
        yield put("deployments/0/sla", v)
    for v in ["[text]", "[~]", "[[]]", "[{}, {}]", "[{entrypoint: f}, 3]", "{entrypoint: f}", "text", "[{name: 3}]", "[{1: a}]", "[{~: a}]"]:
        yield f"deployments: {v}\n"
    for v in ["text", "12", "[a]", "~", "", "true", "[]", "{}", "{1: a}", "1: a", "yes: b", "~: c", "a: 1", "2024-01-02: a"]:
        yield f"{v}\n"
    yield "deployments:\n  - name: 1\n    version: 2\n    tags: 3\n    paused: maybe\n    parameters: []\n"
    yield "deployments:\n  - name: a\n    schedule: {cron: '0 0 * * *'}\n    schedules: []\n"
    yield "name: 3\nbuild: x\ndeployments:\n  - version: 1\n"
    yield "prefect_version: 3\n"
    yield "prefect_version: '3'\nprefect-version: 3\n"


def line(root, loc):
    """The line of the deepest part of a pydantic location that exists in the document; parts that name a branch of a union are passed over."""
    at = root.start_mark.line
    for part in loc:
        if isinstance(root, yaml.SequenceNode) and isinstance(part, int) and part < len(root.value):
            root = root.value[part]
            at = root.start_mark.line
        elif isinstance(root, yaml.MappingNode):
            for k, v in root.value:
                if k.value == str(part):
                    at, root = k.start_mark.line, v
                    break
    return at + 1


def main(out):
    seen, rows = set(), []
    for doc in documents():
        if doc in seen:
            continue
        seen.add(doc)
        raw = yaml.safe_load(doc)
        bad = []
        if raw is not None and not isinstance(raw, dict):
            bad = [1]
        else:
            try:
                PrefectYamlModel.model_validate(raw or {})
            except ValidationError as e:
                root = yaml.compose(doc)
                bad = sorted({line(root, x["loc"]) for x in e.errors(include_url=False, include_context=False, include_input=False)})
            except Exception:
                bad = [1]
        rows.append(json.dumps([doc, bad], separators=(",", ":")))
    with open(out, "w", encoding="ascii") as f:
        f.write("\n".join(rows) + "\n")
    print(len(rows), "documents", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1])
