"""A build backend of a few lines, so that installing this project needs nothing from outside."""

import pathlib
import zipfile

WHEEL = "stamp-1.0-py3-none-any.whl"
METADATA = "Metadata-Version: 2.1\nName: stamp\nVersion: 1.0\n"
TAGS = "Wheel-Version: 1.0\nGenerator: backend\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def build_wheel(directory, config_settings=None, metadata_directory=None):
    with zipfile.ZipFile(pathlib.Path(directory) / WHEEL, "w") as z:
        z.write("stamp.py")
        for name, text in (("METADATA", METADATA), ("WHEEL", TAGS), ("RECORD", "")):
            z.writestr("stamp-1.0.dist-info/" + name, text)
    return WHEEL
