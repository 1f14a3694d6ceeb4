#!/usr/bin/env python3
"""triggers.py OUT: what Prefect's own models make of triggers, right and wrong ones.

Each line of OUT is a JSON array: a trigger, and the automation that Prefect sends for it, or null where it refuses.
"""
import itertools
import json
import os
import sys
import tempfile

os.environ.setdefault("PREFECT_HOME", tempfile.mkdtemp())

from prefect.cli.deploy._triggers import DeploymentTriggerAdapter

ID = "00000000-0000-0000-0000-000000000001"
VALUES = [None, True, False, 0, 1, -1, 2, 3.0, 1.5, 10, 90.5, 300, "", "x", "3", " 3 ", "1.0", "yes", "no", "maybe", "30", "PT30S", "PT0S", "-PT5S", "PT10M", "P1D", "00:01:00", "1 day", [], ["a"], ["a", "a", "b"],
          [1], [None], [["a"]], {}, {"a": "b"}, {"a": ["b", "c"]}, {"a": []}, {"a": 1}, {"a": None}, {"a": ["b", 1]}, [{}], [{"a": "b"}, {"c": ["d"]}], [{"a": 1}], ["a", {}], "any", "all", "Reactive", "Proactive", "Metric",
          "reactive", "event", "metric", "compound", "sequence", "duration", ">", "<="]
METRIC = {"name": "duration", "operator": ">", "threshold": 600}
BASES = {
    "event": ({}, ["name", "description", "enabled", "parameters", "job_variables", "schedule_after", "match", "match_related", "after", "expect", "for_each", "posture", "threshold", "within", "type", "unknown", "triggers", "metric", "require"]),
    "proactive": ({"posture": "Proactive"}, ["within", "threshold", "type", "metric", "triggers"]),
    "metric": ({"type": "metric", "metric": METRIC}, ["posture", "metric", "match", "match_related", "within", "expect", "type"]),
    "metric guessed": ({"posture": "Metric", "metric": METRIC}, ["type", "triggers", "require", "metric"]),
    "compound": ({"require": "all", "triggers": [{"expect": ["a"]}, {"expect": ["b"]}]}, ["require", "within", "triggers", "posture", "type", "expect"]),
    "sequence": ({"triggers": [{"expect": ["a"]}]}, ["within", "triggers", "require", "posture", "type"]),
}


def rows():
    for base, keys in BASES.values():
        yield base
        for key, value in itertools.product(keys, VALUES):
            yield {**base, key: value}
    for key, value in itertools.product(METRIC | {"range": 0, "firing_for": 0, "unknown": 0}, VALUES):
        yield {"type": "metric", "metric": {**METRIC, key: value}}
    for key in METRIC:
        yield {"type": "metric", "metric": {k: v for k, v in METRIC.items() if k != key}}
    children = [{}, {"expect": ["a"], "within": "PT5S"}, {"type": "event", "posture": "Proactive"}, {"posture": "Metric", "metric": METRIC}, {"posture": "Metric", "triggers": []}, {"triggers": [{"expect": ["deep"]}]},
                {"require": 1, "triggers": [{}]}, {"require": 2, "triggers": [{}]}, {"type": "compound", "triggers": []}, {"type": "other"}, {"threshold": "x"}, {"name": 1, "enabled": "x", "parameters": 3}, {"type": None}, "x", None, 1]
    for one, two in itertools.product(children, children):
        yield {"triggers": [one, two]}
        yield {"require": "any", "within": 60, "triggers": [{"triggers": [one]}, two]}


def automation(trigger):
    try:
        made = DeploymentTriggerAdapter.validate_python(json.loads(json.dumps(trigger)))
        made.set_deployment_id(ID)
        out = made.as_automation().model_dump(mode="json")
    except Exception:
        return None
    return {"name": out["name"], "description": out["description"], "enabled": out["enabled"], "trigger": ordered(out["trigger"]),
            **{k: out["actions"][0][k] for k in ("parameters", "job_variables", "schedule_after")}}


def ordered(trigger):
    return {k: sorted(v) if k in ("after", "expect", "for_each") else [ordered(t) for t in v] if k == "triggers" else v for k, v in trigger.items()}


with open(sys.argv[1], "w") as out:
    seen = set()
    for trigger in rows():
        line = json.dumps([trigger, automation(trigger)], separators=(",", ":"))
        if line not in seen:
            seen.add(line)
            out.write(line + "\n")
