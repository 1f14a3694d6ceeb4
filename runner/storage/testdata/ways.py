# Carries steps for buckets out with Prefect's own functions, each in a process of its own with an environment of its own, as the cases on stdin say, and prints what became of each. Used by ways_test.go.
import importlib, json, os, sys, uuid, warnings

warnings.simplefilter("ignore")
import boto3, prefect_aws, prefect_azure, prefect_gcp  # before any fork
from prefect_aws.deployments import steps as _aws
from prefect_gcp.deployments import steps as _gcp
from prefect_azure.deployments import steps as _azure
from prefect_aws import AwsCredentials, MinIOCredentials
from prefect_azure import AzureBlobStorageCredentials
from prefect_gcp import GcpCredentials

BLOCKS = {c.__name__: c for c in (AwsCredentials, MinIOCredentials, AzureBlobStorageCredentials, GcpCredentials)}


def filled(v):
    """What a server holds of a block, where the case says {"block": TYPE, …}."""
    if isinstance(v, dict) and "block" in v:
        fields = dict(v)
        block = BLOCKS[fields.pop("block")](**fields)
        document = block._to_block_document(name="x", block_schema_id=uuid.uuid4(), block_type_id=uuid.uuid4())
        return json.loads(document.model_dump_json(context={"include_secrets": True}))["data"]
    return v


def run(case):
    os.environ.clear()
    os.environ.update(case["env"])
    os.chdir(case["dir"])
    module, name = case["function"].rsplit(".", 1)
    try:
        got = getattr(importlib.import_module(module), name)(**case["inputs"])
        return {"ok": True, "outputs": {k: str(v) for k, v in got.items()}}
    except Exception as fault:
        return {"ok": False, "error": "%s: %s" % (type(fault).__name__, fault)}


answers = []
for case in json.load(sys.stdin):
    case["inputs"] = {k: filled(v) for k, v in case["inputs"].items()}
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.close(reader)
        with os.fdopen(writer, "w") as out:
            json.dump(run(case), out)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as back:
        answer = json.loads(back.read())
    os.wait()
    answers.append({**answer, "inputs": case["inputs"]})
json.dump(answers, sys.stdout)
