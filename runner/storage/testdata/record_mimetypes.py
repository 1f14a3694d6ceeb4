"""Records the types that Python itself gives to names of files, without what a machine adds to them.

usage: record_mimetypes.py OUT
"""
import json, mimetypes, sys

mimetypes.knownfiles.clear()
mimetypes.init()
with open(sys.argv[1], "w") as f:
    json.dump({"types": mimetypes.types_map, "suffixes": mimetypes.suffix_map, "encodings": mimetypes.encodings_map}, f, indent=1, sort_keys=True)
    f.write("\n")
