"""Records what Prefect's own functions do with trees, buckets and arguments: what they return, and what is in the bucket or the directory afterwards.

usage: record.py OUT [NAME…]     with S3, GCS and AZURE holding the addresses of three servers (see servers_test.go, which starts them and calls this)
"""
import hashlib, json, mimetypes, os, shutil, sys, tempfile, threading, warnings
from http.server import BaseHTTPRequestHandler, HTTPServer

warnings.simplefilter("ignore")
mimetypes.knownfiles.clear()  # what this machine knows beside Python is not what another knows
mimetypes.init()
S3, GCS, AZURE = os.environ["S3"], os.environ["GCS"], os.environ["AZURE"]
KEY, SECRET = os.environ["S3_KEY"], os.environ["S3_SECRET"]
os.environ["STORAGE_EMULATOR_HOST"] = GCS
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
CONNECTION = os.environ["AZURE_CONNECTION"]

PLAIN = {"a.txt": "a", "sub/b.txt": "b", "sub/deep/c.bin": "hex:00ff0a0d"}
IGNORE = {".prefectignore": "*.log\n/build/\n!keep.log\n", "x.log": "x", "keep.log": "k", "build/out": "o", "sub/build/out": "o", "a.txt": "a", "sub/y.log": "y"}

# Each is run for each cloud: a name, the tree that is pushed, and arguments beside the bucket and folder "app".
PUSHES = [
    ("plain", PLAIN, {}),
    ("nothing", {}, {}),
    ("empty files and directories", {"empty": "", "dir/": None, "deep/er/empty": ""}, {}),
    ("hidden", {".env": "x", ".git/config": "y", ".hidden/z": "z"}, {}),
    ("unicode", {"é/ü.txt": "1", "日本語/🎉.txt": "2", "e\u0301.txt": "3", "\u00e9.txt": "4"}, {}),
    ("hostile names", {"a b.txt": "1", "it's.txt": "2", "$HOME.txt": "3", "`x`.txt": "4", "a&b=c.txt": "5", "100%.txt": "6", "#1.txt": "7", "a+b.txt": "8", "-rf": "9", "a;b|c.txt": "10", "~.txt": "11", "%41.txt": "12", "tab\there": "13", "*": "14", "q?x=1": "15", "d\"q": "16", "a:b": "17", "[x]": "18", "{y}": "19", "__0x2f__": "20"}, {}),
    ("a line end in a name", {"two\nlines.txt": "1"}, {}),
    ("a control character in a name", {"bell\x07.txt": "1"}, {}),
    ("a trailing space and dots", {"space ": "1", "...": "2", "..a": "3", "a..": "4"}, {}),
    ("a name that is no UTF-8", {"\udcff.txt": "1"}, {}),
    ("a link to a file", {"real.txt": "r", "link.txt": "link:real.txt"}, {}),
    ("a link to a directory", {"d/x": "x", "l": "link:d"}, {}),
    ("a link out", {"l.txt": "link:/etc/hostname.absent", "a": "a"}, {}),
    ("a link that leads nowhere, named", {"l.txt": "link:nowhere", "a": "a", ".prefectignore": "l.txt\n"}, {}),
    ("a link that leads nowhere, beside an ignore file", {"l.txt": "link:nowhere", "a": "a", ".prefectignore": "b\n"}, {}),
    ("a pipe beside an ignore file", {"p": "fifo:", "a": "a", ".prefectignore": "b\n"}, {}),
    ("folder with a slash", PLAIN, {"folder": "app/"}),
    ("folder of two", PLAIN, {"folder": "team/app"}),
    ("folder with what means nothing", PLAIN, {"folder": "./team//app/."}),
    ("folder with dots", PLAIN, {"folder": "team/../app"}),
    ("folder with a slash before it", PLAIN, {"folder": "/app"}),
    ("no folder", PLAIN, {"folder": ""}),
    ("folder of spaces and unicode", PLAIN, {"folder": "mé app/$x"}),
    ("ignore", IGNORE, {}),
    ("ignore by another file", {**IGNORE, "ign": "sub/\n", ".prefectignore": "a.txt\n"}, {"ignore_file": "ign"}),
    ("ignore nothing", IGNORE, {"ignore_file": None}),
    ("ignore file of no name", IGNORE, {"ignore_file": ""}),
    ("ignore file that is not there", IGNORE, {"ignore_file": "absent"}),
    ("ignore file that is a directory", IGNORE, {"ignore_file": "sub"}),
    ("ignore everything", {".prefectignore": "*\n", "a": "a", "b/c": "c"}, {}),
    ("ignore itself", {".prefectignore": ".prefectignore\n", "a": "a"}, {}),
    ("ignore with Windows' line ends", {".prefectignore": "*.log\r\nb/\r\n", "x.log": "x", "b/c": "c", "a": "a"}, {}),
    ("ignore with spaces at ends", {".prefectignore": "a \nb\\ \n  c\n", "a": "1", "a ": "2", "b ": "3", "b": "4", "c": "5", "  c": "6"}, {}),
    ("re-included", {".prefectignore": "*\n!*/\n!*.py\n", "a.py": "1", "b.txt": "2", "d/e.py": "3", "d/f.txt": "4"}, {}),
    ("re-included below what is left out", {".prefectignore": "d/\n!d/keep\n", "d/keep": "1", "d/x": "2"}, {}),
    ("re-included below a star", {".prefectignore": "d/*\n!d/keep\n", "d/keep": "1", "d/x": "2"}, {}),
    ("two stars", {".prefectignore": "**/tmp\na/**/z\nb/**\n", "tmp": "1", "x/tmp/y": "2", "a/z": "3", "a/m/n/z": "4", "b/c": "5", "a/y": "6"}, {}),
    ("classes", {".prefectignore": "[ab].txt\nq[!0-9].x\n\\#c\n\\!d\n?.y\n", "a.txt": "1", "c.txt": "2", "q1.x": "3", "qz.x": "4", "#c": "5", "!d": "6", "k.y": "7", "kk.y": "8"}, {}),
    ("ignore with a comment and blanks", {".prefectignore": "# a\n\n   \nb\n", "# a": "1", "a": "2", "b": "3"}, {}),
    ("ignore with a byte order mark", {".prefectignore": "\ufeffa\nb\n", "a": "1", "b": "2", "c": "3"}, {}),
    ("a large file", {"big": "size:9437185", "exact": "size:8388608"}, {}),
    ("types", {"a.py": "1", "a.tar.gz": "2", "a.tgz": "3", "A.JSON": "4", "a.html": "5", ".json": "6", "a.unknown": "7", "a.svg": "8", "a.ZIP": "9", "Makefile": "10"}, {}),
    ("an argument too many", PLAIN, {"nonsense": 1}),
    ("credentials that are no mapping", PLAIN, {"credentials": "text"}),
]

OBJECTS = {"app/a.txt": "a", "app/sub/b.txt": "b", "app/sub/deep/c.bin": "hex:00ff0a0d"}
PULLS = [
    ("plain", OBJECTS, {}, {}),
    ("nothing", {}, {}, {}),
    ("empty", {"app/e": "", "app/d/e": ""}, {}, {}),
    ("folders", {"app/": "", "app/sub/": "", "app/sub/x": "x"}, {}, {}),
    ("another folder of nearly this name", {"app/a": "a", "app2/b": "b", "app.txt": "c"}, {}, {}),
    ("folder with a slash", OBJECTS, {"folder": "app/"}, {}),
    ("folder of two", {"team/app/x": "x", "team/y": "y"}, {"folder": "team/app"}, {}),
    ("no folder", {"a": "1", "b/c": "2"}, {"folder": ""}, {}),
    ("unicode and hostile", {"app/é/日本.txt": "1", "app/a b": "2", "app/100%": "3", "app/#x": "4", "app/$y": "5", "app/a+b": "6", "app/%41": "7", "app/it's": "8"}, {}, {}),
    ("backslashes", {"app/a\\b": "1"}, {}, {}),
    ("over what is there", OBJECTS, {}, {"a.txt": "old and longer", "mine": "m"}),
    ("over the same", OBJECTS, {}, {"a.txt": "a"}),
    ("into a link", {"app/l": "new"}, {}, {"l": "link:t", "t": "old"}),
    ("a file where a directory is to be", {"app/x/y": "1"}, {}, {"x": "file"}),
    ("a directory where a file is to be", {"app/x": "1"}, {}, {"x/": None}),
    ("an argument too many", OBJECTS, {"ignore_file": "x"}, {}),
    ("a large file", {"app/big": "size:20000001"}, {}, {}),
]
CLOUDS = {
    "aws": ("bucket", "prefect_aws.deployments.steps.push_to_s3", "prefect_aws.deployments.steps.pull_from_s3"),
    "gcp": ("bucket", "prefect_gcp.deployments.steps.push_to_gcs", "prefect_gcp.deployments.steps.pull_from_gcs"),
    "azure": ("container", "prefect_azure.deployments.steps.push_to_azure_blob_storage", "prefect_azure.deployments.steps.pull_from_azure_blob_storage"),
}


def content(text):
    if text.startswith("hex:"):
        return bytes.fromhex(text[4:])
    if text.startswith("size:"):
        n = int(text[5:])
        return (b"0123456789abcdef" * (n // 16 + 1))[:n]
    return text.encode()


def make(root, tree):
    for name, text in tree.items():
        path = os.path.join(root, name)
        if name.endswith("/"):
            os.makedirs(path, exist_ok=True)
            continue
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if text.startswith("link:"):
            os.symlink(text[5:], path)
        elif text == "fifo:":
            os.mkfifo(path)
        else:
            with open(path, "wb") as f:
                f.write(content(text))


def seen(data):
    return hashlib.sha256(data).hexdigest()[:16]


def read(root):
    out = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as f:
                out[os.path.relpath(path, root)] = seen(f.read())
    return dict(sorted(out.items()))


class Aws:
    def __init__(self):
        import boto3
        from botocore.config import Config
        self.c = boto3.client("s3", endpoint_url=S3, aws_access_key_id=KEY, aws_secret_access_key=SECRET, region_name="us-east-1", config=Config(s3={"addressing_style": "path"}))
    def inputs(self):
        return {"credentials": {"aws_access_key_id": KEY, "aws_secret_access_key": SECRET, "region_name": "us-east-1"}, "client_parameters": {"endpoint_url": S3}}
    def create(self, name):
        self.c.create_bucket(Bucket=name)
    def put(self, name, key, data):
        self.c.put_object(Bucket=name, Key=key, Body=data)
    def read(self, name):
        out = {}
        for page in self.c.get_paginator("list_objects_v2").paginate(Bucket=name):
            for o in page.get("Contents", []):
                try:
                    got = self.c.get_object(Bucket=name, Key=o["Key"])
                    out[o["Key"]] = [seen(got["Body"].read()), got["ContentType"]]
                except self.c.exceptions.NoSuchKey:  # versitygw lists some keys that it can't be asked for
                    out[o["Key"]] = ["listed only", ""]
        return out


class Gcp:
    def __init__(self):
        from google.cloud import storage
        from google.auth.credentials import AnonymousCredentials
        self.c = storage.Client(project="p", credentials=AnonymousCredentials())
    def inputs(self):
        return {"credentials": {"project": "p", "service_account_info": ACCOUNT}}
    def create(self, name):
        self.c.create_bucket(name)
    def put(self, name, key, data):
        self.c.bucket(name).blob(key).upload_from_string(data)
    def read(self, name):
        return {b.name: [seen(b.download_as_bytes()), b.content_type] for b in self.c.list_blobs(name)}


class Azure:
    def __init__(self):
        from azure.storage.blob import BlobServiceClient
        self.c = BlobServiceClient.from_connection_string(CONNECTION)
    def inputs(self):
        return {"credentials": {"connection_string": CONNECTION}}
    def create(self, name):
        self.c.create_container(name)
    def put(self, name, key, data):
        self.c.get_container_client(name).upload_blob(key, data)
    def read(self, name):
        k = self.c.get_container_client(name)
        return {b.name: [seen(k.download_blob(b.name).readall()), b.content_settings.content_type] for b in k.list_blobs()}


class Token(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        body = b'{"access_token": "t", "expires_in": 3600, "token_type": "Bearer"}'
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass


def account():
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    server = HTTPServer(("127.0.0.1", 0), Token)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    return {"type": "service_account", "project_id": "p", "private_key_id": "k", "private_key": pem, "client_email": "x@p.iam.gserviceaccount.com", "client_id": "1",
            "token_uri": "http://127.0.0.1:%d/token" % server.server_port}


ACCOUNT = account()


def function(name):
    import importlib
    module, attribute = name.rsplit(".", 1)
    return getattr(importlib.import_module(module), attribute)


def run(case, cloud, number):
    place, push, pull = CLOUDS[case["cloud"]]
    bucket = "case-%d-%s" % (os.getpid(), number)
    cloud.create(bucket)
    outer = os.path.realpath(tempfile.mkdtemp())
    root = os.path.join(outer, "in", "project")
    os.makedirs(root)
    try:
        make(root, case["tree"])
        for key, text in case["objects"].items():
            cloud.put(bucket, key, content(text))
        inputs = {**cloud.inputs(), place: bucket, "folder": "app", **case["inputs"]}
        os.chdir(root)
        try:
            got = function(push if case["way"] == "push" else pull)(**inputs)
            case["outputs"] = {k: str(v).replace(bucket, "<bucket>").replace(root, "<dir>") for k, v in got.items()}
        except Exception as fault:
            case["error"] = type(fault).__name__
        os.chdir("/")
        if case["way"] == "push":
            case["bucket"] = dict(sorted(cloud.read(bucket).items()))
        else:
            case["after"] = {k[len("in/project/"):] if k.startswith("in/project/") else "../../" + k: v for k, v in read(outer).items()}
    finally:
        os.chdir("/")
        shutil.rmtree(outer, ignore_errors=True)
    return case


def main():
    out, names = sys.argv[1], sys.argv[2:]
    clouds, cases = {"aws": Aws(), "gcp": Gcp(), "azure": Azure()}, []
    for cloud in CLOUDS:
        for name, tree, inputs in PUSHES:
            if cloud == "azure" and "control" in name:
                continue  # Azurite takes it and can never list its container again
            cases.append({"name": "push %s %s" % (cloud, name), "cloud": cloud, "way": "push", "tree": tree, "objects": {}, "inputs": inputs})
        for name, objects, inputs, tree in PULLS:
            cases.append({"name": "pull %s %s" % (cloud, name), "cloud": cloud, "way": "pull", "tree": tree, "objects": objects, "inputs": inputs})
    done = []
    for number, case in enumerate(cases):
        if names and case["name"] not in names:
            continue
        done.append(run(case, clouds[case["cloud"]], number))
    with open(out, "w") as f:
        json.dump(done, f, indent=1, ensure_ascii=True)
        f.write("\n")


main()
