"""Asks the server's own checks of a real Prefect 3.8.8 about job variables, and writes jobvariables.json.

    bin/python jobvariables.py [jobvariables.json [seed count [worker-metadata]]]

For each template's schema of variables: job variables, whether creating a deployment with them, updating one and creating a run
of it is accepted, and the paths that an update complains about. With the word worker-metadata the templates are those that the
installed Prefect brings along.
"""
import asyncio
import json
import os
import pathlib
import random
import sys
import tempfile
import types

os.environ.setdefault("PREFECT_HOME", tempfile.mkdtemp())

import prefect
from prefect.server.api import validation
from prefect.server.schemas.actions import DeploymentCreate, DeploymentUpdate
from prefect.utilities.schema_tools import validate

BLOCK = {"title": "Login", "type": "object", "block_type_slug": "login", "properties": {"user": {"type": "string"}}, "required": ["user"]}
TEMPLATES = [
    {"type": "object", "properties": {
        "name": {"type": "string"}, "cpu": {"type": "integer", "default": 2}, "share": {"type": "number", "minimum": 0, "exclusiveMaximum": 1}, "quiet": {"type": "boolean", "default": False},
        "env": {"type": "object", "additionalProperties": {"type": "string"}}, "ports": {"type": "array", "items": {"type": "integer"}, "maxItems": 3, "uniqueItems": True},
        "mode": {"enum": ["fast", "slow", 3], "default": "fast"}, "image": {"type": "string", "pattern": "^[a-z]+:", "maxLength": 12}}, "required": ["image", "cpu"]},
    {"type": "object", "properties": {
        "name": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}, "cpu": {"anyOf": [{"type": "integer"}, {"type": "string", "minLength": 2}]},
        "share": {"oneOf": [{"type": "integer"}, {"type": "number", "minimum": 5}]}, "env": {"type": "object", "additionalProperties": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
        "ports": {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}]}, "quiet": {"const": True}, "mode": {"$ref": "#/$defs/Mode"}, "image": {"not": {"type": "integer"}}},
     "$defs": {"Mode": {"type": "string", "enum": ["fast", "slow"]}}, "additionalProperties": False},
    {"type": "object", "properties": {
        "mode": {"$ref": "#/definitions/Size"}, "env": {"allOf": [{"$ref": "#/definitions/Size"}]}, "name": {"type": "string", "format": "uuid"}, "image": {"type": "string", "default": None},
        "login": {"$ref": "#/definitions/Login"}, "ports": {"type": "array", "items": {"$ref": "#/definitions/Size"}, "minItems": 1}},
     "definitions": {"Size": {"type": "object", "properties": {"cpu": {"type": "integer"}, "unit": {"type": "string", "default": "GB"}}, "required": ["cpu"]}, "Login": BLOCK}, "required": ["name", "mode"]},
    {"type": "object", "properties": {
        "env": {"type": "object", "properties": {"A": {"type": "integer"}, "inner": {"type": "object", "properties": {"x": {"type": "string"}}, "required": ["x"]}}, "required": ["A"], "additionalProperties": False},
        "cpu": {"type": ["integer", "null"], "multipleOf": 2, "maximum": 10}, "name": {"type": "string", "minLength": 3}, "ports": {"type": "array", "prefixItems": [{"type": "integer"}], "items": {"type": "string"}},
        "mode": {"if": {"type": "string"}, "then": {"minLength": 5}, "else": {"type": "integer"}}, "image": {}, "quiet": {"type": "array", "items": True}, "share": {"type": "object", "additionalProperties": True, "maxProperties": 1}}},
    {"type": "object", "properties": {"name": {"type": "string", "title": "Name"}, "env": {"type": "object", "patternProperties": {"^X_": {"type": "integer"}}, "additionalProperties": {"type": "string"}},
        "cpu": {"type": "number", "exclusiveMinimum": 0}, "image": {"type": "string", "format": "email"}, "mode": {"anyOf": [{"type": "object", "properties": {"cpu": {"type": "integer"}}, "required": ["cpu"]}, {"type": "array"}]}},
     "required": ["env"]},
    {"properties": {"name": {"type": "null"}, "cpu": {"type": "integer", "default": "two"}}, "required": ["name", "image"]},
    {},
]
VALUES = [None, True, False, 0, 1, 2, 7, 11, -3, 0.5, 2.0, 1e3, "", "a", "abc", "fast", "slow", "app:1", "app:123456789", "{{ ctx.flow_run.name }}", "x@y", "12345678-1234-1234-1234-123456789abc",
          [], [1], [1, 2], [1, 1], [1, "a"], ["a"], [1, 2, 3, 4], {}, {"A": 1}, {"A": "1"}, {"A": None}, {"cpu": 1}, {"cpu": "1"}, {"cpu": 1, "unit": 3}, {"X_1": 1}, {"X_1": "1"}, {"inner": {}}, {"A": 1, "inner": {"x": 1}},
          {"user": "me"}, {"$ref": {"block_document_id": "12345678-1234-1234-1234-123456789abc"}}, [{"cpu": 1}], [{"cpu": "1"}], [{}], 3, "3"]


def asked(call):
    try:
        result = call()
        if asyncio.iscoroutine(result):
            asyncio.run(result)
        return True
    except Exception:
        return False


def case(schema, variables):
    template = {"variables": schema, "job_configuration": {}}
    pool = types.SimpleNamespace(name="pool", base_job_template=template)
    deployment = types.SimpleNamespace(id=None, job_variables=variables, work_queue=types.SimpleNamespace(work_pool=pool))
    create = DeploymentCreate(name="d", flow_id="12345678-1234-1234-1234-123456789abc", job_variables=variables)
    update = DeploymentUpdate(job_variables=variables)
    run = types.SimpleNamespace(job_variables={})
    errors = validate(variables, schema, preprocess=True, ignore_required=True) if schema else []
    return {"variables": variables,
            "create": asked(lambda: validation.validate_job_variables_for_deployment(None, pool, create)),
            "update": asked(lambda: update.check_valid_configuration(template)),
            "run": asked(lambda: validation.validate_job_variables_for_deployment_flow_run(None, deployment, run)),
            "paths": sorted({e.json_path.replace("$.", "", 1).replace("$", "", 1) for e in errors})}


def installed():
    data = json.loads((pathlib.Path(prefect.__file__).parent / "server/api/collections_data/views/aggregate-worker-metadata.json").read_text())
    return [w["default_base_job_configuration"]["variables"] for package in data.values() for w in package.values()]


def main():
    target = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent / "jobvariables.json"
    seed, count = map(int, sys.argv[2:4]) if len(sys.argv) > 3 else (5, 60)
    templates = installed() if "worker-metadata" in sys.argv else TEMPLATES
    rng = random.Random(seed)
    out = []
    for schema in templates:
        cases = []
        names = list(schema.get("properties", {})) or ["name"]
        for name in names if templates is TEMPLATES else []:
            cases += [case(schema, {name: v}) for v in VALUES]
        for _ in range(count):
            chosen = rng.sample(names + ["other"], min(len(names), rng.randint(0, 3)))
            cases.append(case(schema, {n: rng.choice(VALUES) for n in chosen}))
        out.append('{"schema": ' + json.dumps(schema) + ', "cases": [\n' + ",\n".join(json.dumps(c) for c in cases) + "\n]}")
    target.write_text("[\n" + ",\n".join(out) + "\n]\n")


if __name__ == "__main__":
    main()
