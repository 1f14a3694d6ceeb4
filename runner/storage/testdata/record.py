"""Records what Prefect's own functions do with trees, buckets and arguments: what they return, and what is in the bucket or the directory afterwards.

usage: record.py OUT [NAME…]     with S3, GCS and AZURE holding the addresses of three servers (see servers_test.go, which starts them and calls this)
"""
import hashlib, json, mimetypes, os, re, shutil, sys, tempfile, threading, warnings
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

# Each is run for each cloud: a name, the tree that is pushed, arguments beside the bucket and folder "app", and what is in the bucket already. Arguments that begin with @ stand for what differs between clouds:
# @bucket is the bucket's (or container's) name, @wrong is a login that the cloud does not take, @drop are arguments that are left out.
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
    ("no credentials", PLAIN, {"credentials": None}),
    ("a login that is wrong", PLAIN, {"@wrong": True}),
    ("a bucket that is not there", PLAIN, {"@bucket": "there-is-none-of-this-name"}),
    ("a bucket without a name", PLAIN, {"@bucket": ""}),
    ("a bucket with a name that none can have", PLAIN, {"@bucket": "No Such/Bucket?"}),
    ("a bucket that is null", PLAIN, {"@bucket": None}),
    ("a bucket that is a number", PLAIN, {"@bucket": 7}),
    ("no bucket named", PLAIN, {"@drop": ["bucket", "container"]}),
    ("no folder named", PLAIN, {"@drop": ["folder"]}),
    ("a folder that is null", PLAIN, {"folder": None}),
    ("a folder that is a number", PLAIN, {"folder": 7}),
    ("a folder that is a list", PLAIN, {"folder": ["app"]}),
    ("folder with two slashes after it", PLAIN, {"folder": "app//"}),
    ("folder with two slashes before it", PLAIN, {"folder": "//app"}),
    ("folder with a backslash", PLAIN, {"folder": "a\\b"}),
    ("folder of a space", PLAIN, {"folder": " "}),
    ("folder of quotes and signs", PLAIN, {"folder": "it's \"q\" #1?x=%41&y+z"}),
    ("folder with a line end", PLAIN, {"folder": "two\nlines"}),
    ("folder in Unicode's other form", PLAIN, {"folder": "e\u0301/\u00e9"}),
    ("backslashes and quotes in names", {"a\\b": "1", "\\": "2", "\"": "3", "'": "4", "a\\..\\b": "5", "<x>": "6"}, {}),
    ("long names", {"n" * 200: "1", "é" * 120: "2", "d" * 180 + "/" + "f" * 180: "3"}, {}),
    ("a deep tree", {"d/" * 60 + "x": "1"}, {}),
    ("many files", {"n%02d/f" % i: str(i) for i in range(40)}, {}),
    ("all bytes", {"all": "hex:" + bytes(range(256)).hex(), "crlf": "a\r\nb\r\n", "latin": "hex:e9e8", "mark": "\ufeffx"}, {}),
    ("a link out to a file", {"../out.txt": "o", "l": "link:../out.txt", "a": "a"}, {}),
    ("a link out to a directory", {"../out/x": "o", "l": "link:../out", "a": "a"}, {}),
    ("a link to a link", {"a": "a", "l": "link:a", "m": "link:l"}, {}),
    ("a link to itself", {"a": "a", "l": "link:l"}, {}),
    ("a link to the directory above", {"d/x": "x", "d/up": "link:.."}, {}),
    ("ignore file that is a link", {"ign": "*.log\n", ".prefectignore": "link:ign", "x.log": "x", "a": "a"}, {}),
    ("ignore file that is no text", {".prefectignore": "hex:ff0a", "a": "a"}, {}),
    ("ignore file that is empty", {".prefectignore": "", "a": "a"}, {}),
    ("ignored, with a name that is no UTF-8", {".prefectignore": "*.bad\n", "\udcff.bad": "1", "a": "a"}, {}),
    ("anchored or not", {".prefectignore": "/a\nb/c\nd\n", "a": "1", "x/a": "2", "b/c": "3", "x/b/c": "4", "d": "5", "x/d": "6"}, {}),
    ("directories only", {".prefectignore": "d/\n**/e/\n", "d/x": "1", "y/d/z": "2", "e": "3", "q/e/x": "4", "q/d": "5"}, {}),
    ("stars between", {".prefectignore": "a*b\n**/m*/x\n*.t?t\n", "ab": "1", "a/b": "2", "axb": "3", "q/mm/x": "4", "m/y/x": "5", "f.txt": "6", "f.tt": "7"}, {}),
    ("upper and lower case", {".prefectignore": "A.TXT\n*.Log\n", "a.txt": "1", "x.log": "2", "y.Log": "3"}, {}),
    ("taken back twice", {".prefectignore": "*.x\n!a.x\na.x\n!a.x\n", "a.x": "1", "b.x": "2"}, {}),
    ("over what is there", {"a": "new", "d/b": "longer than before"}, {}, {"app/a": "old", "app/d/b": "b", "app/mine": "m", "other": "o"}),
    ("over the same", PLAIN, {}, {"app/a.txt": "a", "app/sub/b.txt": "b"}),
    ("over other bytes of the same length", {"a": "abc"}, {}, {"app/a": "xyz"}),
    ("a directory where an object is", {"a/b": "new"}, {}, {"app/a": "object"}),
    ("a file where a folder is", {"a": "new"}, {}, {"app/a/b": "object"}),
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
    ("no credentials", OBJECTS, {"credentials": None}, {}),
    ("credentials that are no mapping", OBJECTS, {"credentials": "text"}, {}),
    ("a login that is wrong", OBJECTS, {"@wrong": True}, {}),
    ("a bucket that is not there", {}, {"@bucket": "there-is-none-of-this-name"}, {}),
    ("a bucket without a name", {}, {"@bucket": ""}, {}),
    ("a bucket with a name that none can have", {}, {"@bucket": "No Such/Bucket?"}, {}),
    ("a bucket that is null", {}, {"@bucket": None}, {}),
    ("a bucket that is a number", {}, {"@bucket": 7}, {}),
    ("no bucket named", OBJECTS, {"@drop": ["bucket", "container"]}, {}),
    ("no folder named", OBJECTS, {"@drop": ["folder"]}, {}),
    ("a folder that is null", OBJECTS, {"folder": None}, {}),
    ("a folder that is a number", {"7/a": "a"}, {"folder": 7}, {}),
    ("a folder that is a list", OBJECTS, {"folder": ["app"]}, {}),
    ("a folder that is not there", OBJECTS, {"folder": "absent"}, {}),
    ("a folder named in part", {"app/a": "a"}, {"folder": "ap"}, {}),
    ("a folder in capitals", {"app/a": "a"}, {"folder": "APP"}, {}),
    ("folder with two slashes after it", {"app/a": "a"}, {"folder": "app//"}, {}),
    ("folder with a slash before it", {"app/a": "a"}, {"folder": "/app"}, {}),
    ("folder with what means nothing", {"team/app/a": "a"}, {"folder": "./team/app"}, {}),
    ("folder with dots", {"team/app/a": "a", "app/b": "b"}, {"folder": "team/../app"}, {}),
    ("folder of a space", {" /a": "a", "b": "b"}, {"folder": " "}, {}),
    ("folder of spaces and unicode", {"mé app/$x/a": "a"}, {"folder": "mé app/$x"}, {}),
    ("folder of quotes and signs", {"it's \"q\" #1?x=%41&y+z/a": "a"}, {"folder": "it's \"q\" #1?x=%41&y+z"}, {}),
    ("folder with a line end", {"two\nlines/a": "a"}, {"folder": "two\nlines"}, {}),
    ("folder in Unicode's other form", {"e\u0301/a": "1", "\u00e9/b": "2"}, {"folder": "\u00e9"}, {}),
    ("an object of the folder's name", {"app": "1"}, {}, {}),
    ("an object of the folder's name, beside it", {"app": "1", "app/x": "2"}, {}, {}),
    ("spaces and quotes", {"app/ a": "1", "app/a ": "2", "app/b  c": "3", "app/\"q\"": "4", "app/it's": "5", "app/`x`": "6"}, {}, {}),
    ("unicode in two forms", {"app/e\u0301": "1", "app/\u00e9": "2", "app/🎉/🎉": "3"}, {}, {}),
    ("line ends in keys", {"app/two\nlines": "1", "app/d\n/x": "2"}, {}, {}),
    ("a tab in a key", {"app/a\tb": "1"}, {}, {}),
    ("percents", {"app/%": "1", "app/%2e%2e": "2", "app/%2F": "3", "app/100%25": "4", "app/%2e%2e/x": "5", "app/%zz": "6"}, {}, {}),
    ("signs of URLs", {"app/q?x=1": "1", "app/a#b": "2", "app/a&b=c": "3", "app/a;b": "4", "app/a+b": "5", "app/a@b:c": "6", "app/~": "7"}, {}, {}),
    ("signs of shells", {"app/*": "1", "app/[x]": "2", "app/{y}": "3", "app/<z>": "4", "app/a|b": "5", "app/$(id)": "6", "app/!": "7", "app/^": "8"}, {}, {}),
    ("dots and dashes at the front", {"app/.env": "1", "app/.git/config": "2", "app/-rf": "3", "app/--": "4", "app/..a": "5", "app/a..": "6", "app/...": "7"}, {}, {}),
    ("names of Windows", {"app/NUL": "1", "app/con.txt": "2", "app/c:x": "3", "app/dot.": "4"}, {}, {}),
    ("long names", {"app/" + "n" * 200: "1", "app/" + "é" * 120: "2", "app/" + "d" * 180 + "/" + "f" * 180: "3"}, {}, {}),
    ("the longest name", {"app/" + "n" * 255: "1"}, {}, {}),
    ("a name too long", {"app/" + "n" * 256: "1"}, {}, {}),
    ("a deep tree", {"app/" + "d/" * 60 + "x": "1"}, {}, {}),
    ("many", {"app/n%02d/f" % i: str(i) for i in range(40)}, {}, {}),
    ("two slashes in a key", {"app//a": "1", "app/b//c": "2"}, {}, {}),
    ("dots in a key that mean nothing", {"app/a/./b": "1"}, {}, {}),
    ("dots in a key", {"app/a/../b": "1"}, {}, {}),
    ("dots in a key that lead out", {"app/a": "a", "app/../../x": "1"}, {}, {}),
    ("backslashes and dots in a key", {"app/a\\..\\b": "1"}, {}, {}),
    ("backslashes and dots that lead out", {"app/a": "a", "app/..\\..\\x": "1"}, {}, {}),
    ("a folder's mark alone", {"app/": ""}, {}, {}),
    ("marks of folders alone", {"app/a/": "", "app/b/c/": ""}, {}, {}),
    ("a mark with bytes", {"app/a/": "bytes", "app/b": "b"}, {}, {}),
    ("empty and one byte", {"app/e": "", "app/o": "x", "app/z": "hex:00"}, {}, {}),
    ("all bytes", {"app/all": "hex:" + bytes(range(256)).hex(), "app/crlf": "a\r\nb\r\n", "app/latin": "hex:e9e8", "app/mark": "\ufeffx"}, {}, {}),
    ("exactly one part", {"app/part": "size:8388608", "app/more": "size:8388609"}, {}, {}),
    ("over a shorter and an empty file", {"app/a": "long enough", "app/e": "x"}, {}, {"a": "l", "e": ""}),
    ("empty over what is there", {"app/a": ""}, {}, {"a": "old"}),
    ("over other bytes of the same length", {"app/a": "abc"}, {}, {"a": "xyz"}),
    ("into directories that are there", {"app/d/e/new": "1", "app/d/x": "2"}, {}, {"d/e/mine": "m", "d/x": "old", "f/mine": "n"}),
    ("modes", {"app/x": "new", "app/n": "new"}, {}, {"x": "mode:755:old"}),
    ("over a link that leads nowhere", {"app/l": "new"}, {}, {"l": "link:nowhere"}),
    ("over a link out", {"app/l": "new"}, {}, {"../out.txt": "old", "l": "link:../out.txt"}),
    ("over a link to a directory", {"app/l": "new"}, {}, {"d/x": "x", "l": "link:d"}),
    ("through a link to a directory", {"app/l/y": "new"}, {}, {"d/x": "x", "l": "link:d"}),
    ("through a link out", {"app/l/y": "new"}, {}, {"../out/x": "x", "l": "link:../out"}),
    ("under a name of its own", {"app/a": "1"}, {}, {".pulling-0cc175b9c0f1b6a8": "mine"}),
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
        elif text.startswith("mode:"):
            _, mode, text = text.split(":", 2)
            with open(path, "wb") as f:
                f.write(content(text))
            os.chmod(path, int(mode, 8))
        else:
            with open(path, "wb") as f:
                f.write(content(text))


def seen(data):
    return hashlib.sha256(data).hexdigest()[:16]


def read(root, modes=False):
    """All files at and below a directory, links as what they lead to, and the directories in which there is nothing."""
    out = {}
    for folder, folders, names in os.walk(root):
        if not folders and not names:
            out[os.path.relpath(folder, root) + "/"] = ""
        for name in names:
            path = os.path.join(folder, name)
            if not os.path.exists(path):
                out[os.path.relpath(path, root)] = "nowhere"
                continue
            with open(path, "rb") as f:
                out[os.path.relpath(path, root)] = seen(f.read()) + (" %o" % (os.stat(path).st_mode & 0o777) if modes else "")
    return dict(sorted(out.items()))


class Aws:
    def __init__(self):
        import boto3
        from botocore.config import Config
        self.c = boto3.client("s3", endpoint_url=S3, aws_access_key_id=KEY, aws_secret_access_key=SECRET, region_name="us-east-1", config=Config(s3={"addressing_style": "path"}))
    def inputs(self):
        return {"credentials": {"aws_access_key_id": KEY, "aws_secret_access_key": SECRET, "region_name": "us-east-1"}, "client_parameters": {"endpoint_url": S3}}
    def wrong(self):
        return {"credentials": {"aws_access_key_id": KEY, "aws_secret_access_key": "wrong", "region_name": "us-east-1"}}
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
    def wrong(self):
        return {"credentials": {"project": "p", "service_account_info": {**ACCOUNT, "private_key": "wrong"}}}
    def create(self, name):
        self.c.create_bucket(name)
    def put(self, name, key, data):
        self.c.bucket(name).blob(key).upload_from_string(data, content_type="application/octet-stream")
    def read(self, name):
        return {b.name: [seen(b.download_as_bytes()), b.content_type] for b in self.c.list_blobs(name)}


class Azure:
    def __init__(self):
        from azure.storage.blob import BlobServiceClient
        self.c = BlobServiceClient.from_connection_string(CONNECTION)
    def inputs(self):
        return {"credentials": {"connection_string": CONNECTION}}
    def wrong(self):
        return {"credentials": {"connection_string": re.sub("AccountKey=[^;]*", "AccountKey=d3Jvbmc=", CONNECTION)}}
    def create(self, name):
        self.c.create_container(name)
    def put(self, name, key, data):
        self.c.get_container_client(name).upload_blob(key, data)
    def read(self, name):
        k = self.c.get_container_client(name)
        out = {}
        for b in k.list_blobs():
            try:
                out[b.name] = [seen(k.download_blob(b.name).readall()), b.content_settings.content_type]
            except Exception:  # Python's library signs another address than it asks for, of some names
                out[b.name] = ["listed only", b.content_settings.content_type]
        return out


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


def given(cloud, place, bucket, inputs):
    out = {**cloud.inputs(), place: bucket, "folder": "app", **{k: v for k, v in inputs.items() if k[0] != "@"}}
    if "@bucket" in inputs:
        out[place] = inputs["@bucket"]
    if inputs.get("@wrong"):
        out.update(cloud.wrong())
    return {k: v for k, v in out.items() if k not in inputs.get("@drop", [])}


def shown(v):
    return str(v) if isinstance(v, os.PathLike) else v


def run(case, cloud, number):
    place, push, pull = CLOUDS[case["cloud"]]
    bucket = "case-%d-%s" % (os.getpid(), number)
    cloud.create(bucket)
    outer = os.path.realpath(tempfile.mkdtemp())
    root = os.path.join(outer, "in", "project")
    os.makedirs(root)
    try:
        make(root, case["tree"])
        try:
            for key, text in case["objects"].items():
                cloud.put(bucket, key, content(text))
        except Exception as fault:  # this server can't hold such an object
            print("%s: not to be recorded: %s" % (case["name"], type(fault).__name__), file=sys.stderr)
            return None
        inputs = given(cloud, place, bucket, case["inputs"])
        os.chdir(root)
        try:
            got = function(push if case["way"] == "push" else pull)(**inputs)
            case["outputs"] = {k: shown(v).replace(bucket, "<bucket>").replace(root, "<dir>") if isinstance(shown(v), str) else v for k, v in got.items()}
        except Exception as fault:
            case["error"] = type(fault).__name__
        os.chdir("/")
        if case["way"] == "push":
            case["bucket"] = dict(sorted(cloud.read(bucket).items()))
        else:
            case["after"] = {k[len("in/project/"):] if k.startswith("in/project/") else "../../" + k: v for k, v in read(outer, "modes" in case["name"]).items()}
    finally:
        os.chdir("/")
        shutil.rmtree(outer, ignore_errors=True)
    return case


def main():
    out, names = sys.argv[1], sys.argv[2:]
    clouds, cases = {"aws": Aws(), "gcp": Gcp(), "azure": Azure()}, []
    for cloud in CLOUDS:
        for name, tree, inputs, *objects in PUSHES:
            if cloud == "azure" and "control" in name:
                continue  # Azurite takes it and can never list its container again
            cases.append({"name": "push %s %s" % (cloud, name), "cloud": cloud, "way": "push", "tree": tree, "objects": objects[0] if objects else {}, "inputs": inputs})
        for name, objects, inputs, tree in PULLS:
            cases.append({"name": "pull %s %s" % (cloud, name), "cloud": cloud, "way": "pull", "tree": tree, "objects": objects, "inputs": inputs})
    done = []
    for number, case in enumerate(cases):
        if names and case["name"] not in names:
            continue
        done.append(run(case, clouds[case["cloud"]], number))
    done = [case for case in done if case]
    with open(out, "w") as f:
        f.write("[\n" + ",\n".join(json.dumps(case) for case in done) + "\n]\n")


main()
