"""Writes ../zones.txt: the names of the IANA time zones as the tzdata of the Python that runs this has them."""
import importlib.resources
import pathlib

names = (importlib.resources.files("tzdata") / "zones").read_text().split()
target = pathlib.Path(__file__).resolve().parent.parent / "zones.txt"
target.write_text("\n" + "\n".join(sorted(names)) + "\n")
