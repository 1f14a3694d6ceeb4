"""Defaults of every kind."""
import datetime
import os
import pathlib
from datetime import date, datetime as dt, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from prefect import flow
from pydantic import Field

LIMIT = 7
NAME: str = "n"
LIST = ["a"]
CHANGED = ["a"]
CHANGED.append("b")
LATER = 1
LATER = 2
A, B = 1, 2
NESTED = {"k": [1, {"z": None}], "f": 1.0}
DERIVED = LIMIT * 2 + 1
UNITS = 60 * 60
if LIMIT > 3:
    CONDITION = 1
else:
    CONDITION = 2
COUNT = 1
COUNT += 1
for index in range(3):
    pass


def helper():
    pass


class Thing:
    pass


@flow
def numbers(a=0, b=-0, c=0x1F, d=0b101, e=0o17, f=1_000_000, g=1e3, h=1E-7, i=.5, j=5., k=-1.5, l=1e400, m=-1e400, n=9223372036854775807, o=9223372036854775808, p=2**10, q=7 // 2, r=-7 // 2, s=7 % 3,
            t=-7 % 3, u=1 << 4, v=3 | 4, w=6 & 3, x=6 ^ 3, y=10 / 4, z=+3):
    pass


@flow
def more_numbers(a=1 + 2 * 3, b=(1 + 2) * 3, c=2 ** 3 ** 2, d=-2 ** 2, e=1.5 + 1, f=3 * 0.5, g=10 - 2 - 3, h=1 - -1, i=~5, j=1.0, k=100.0, l=1e16, m=1e22, n=123456789.123456789, o=2 * 3.0, p=2 ** -1, q=True + 1, r=1j, s=3 ** 40, t=2 ** 62):
    pass


@flow
def texts(a="", b="x" "y", c='single', d="""three
lines""", e=r"raw\n", f="\n\t\\", g="\x41\u00e9\U0001F600", h=b"bytes", i=b"\xff", j="a" + "b", k=f"{LIMIT}", l=u"u", m="%s" % "x", n="a" * 3, o="\N{BULLET}", p=("paren" "thesised"), q=rb"\x", r="line\
joined"):
    pass


@flow
def containers(a=[], b=(), c={}, d=[1, 2.5, "x", None, True], e=(1,), f={1, 2, 3}, g={"b", "a"}, h={"x": 1, "y": [1, (2, 3)]}, i={1: "one"}, j=[[], [[]]], k={None: 1}, l={True: 1}, m={1.5: 1}, n=set(), o=list(),
               p=dict(), q=dict(x=1, y="z"), r=tuple(), s=frozenset(), t=[*LIST], u={**NESTED}, v=[print], w=[LIMIT], y=[1] + [2], z={"k": Thing()}):
    pass


@flow
def names(a=LIMIT, b=NAME, c=LIST, d=CHANGED, e=LATER, f=A, g=NESTED, h=DERIVED, i=-LIMIT, j=CONDITION, k=COUNT, l=index, m=UNITS * 24, n=[LIMIT, NAME], o=os.sep, p=os.environ.get("NOT_SET_HERE", "d"), q=helper, r=Thing, s=print, t=int,
          u=len("abc"), v=helper(), w=Thing(), x=lambda: 1, y=..., z=None):
    pass


@flow
def library(a=Path("a"), b=Path("a", "b"), c=Path("/x/y"), d=Path("a/b/../c"), e=Path(), f=Path("./a//b/"), g=timedelta(), h=timedelta(days=1), i=timedelta(hours=36), j=timedelta(minutes=90), k=timedelta(seconds=1.5),
            l=timedelta(weeks=2), m=timedelta(1), n=date(2024, 2, 29), o=dt(2024, 1, 2), p=dt(2024, 1, 2, 3, 4, 5, 678900), q=dt(2024, 1, 2, tzinfo=timezone.utc), r=datetime.time(1), s=datetime.time(1, 2, 3, 400),
            t=UUID("12345678123456781234567812345678"), u=Decimal("1.50"), v=Decimal("100"), w=Decimal(3), x=date(year=2024, month=1, day=2), y=timedelta(days=200, minutes=1), z=pathlib.PurePath("q")):
    pass


@flow
def strange(a=Decimal("1E+3"), b=Decimal("-0.5"), c=Decimal("0.0000001"), d=timedelta(days=-1), e=timedelta(microseconds=1), f=dt(2024, 1, 2, 3, 4, 5, 100), g=Path("a") / "b", h=Path.home, i=date.today, j=1 if LIMIT else 2,
            k=not LIMIT, l=LIMIT > 3, m=LIMIT and 2, n=[x for x in LIST], o=LIST[0], p=NESTED["k"], q=Decimal("001.5"), r=__name__, s=True, t=False):
    pass


@flow
def fields(a: int = Field(), b: int = Field(...), c: int = Field(3), d: int = Field(default=4, description="given"), e: int = Field(5, title="T", gt=1, examples=[1]), f: list = Field(default_factory=list),
           g: int = Field(None), h: str = Field("x", description=None)):
    """Fields.

    Args:
        a: described
        d: not this
    """


@flow
def mixed(self, a: int, cls=1, *args: str, b: int = 2, **kwargs: float):
    pass


@flow
def keyword(a, /, b, *, c, d=1):
    pass


@flow
def no_type(a, b=None, *, c: None = None):
    pass


@flow
def model_like(schema: int, json: str = "j", copy=1, dict=2, model_dump_it: int = 1, model_x: int = 2, fields=1, construct: int = 3, model_fields_: int = 1):
    pass
