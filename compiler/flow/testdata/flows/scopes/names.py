"""Where names come from, and when."""
import sys
import typing
from typing import TYPE_CHECKING, List, Optional

from helpers import *
from helpers import Level as Renamed, hidden
import helpers as h
from prefect import flow

try:
    from typing import Literal
except ImportError:
    from typing_extensions import Literal

try:
    import tomllib
    HAVE = 1
except ImportError:
    HAVE = 0

if sys.version_info >= (3, 8):
    from typing import Dict as Mapping
else:
    Mapping = dict

if TYPE_CHECKING:
    Alias = int
else:
    Alias = str

if not TYPE_CHECKING:
    Other = float
else:
    Other = int

if __name__ == "__main__":
    LIMIT = 99

LIMIT_2 = LIMIT
N = 1


@flow
def before(a=N, b: Alias = 1, c: Other = 2.0, d: Literal["x"] = "x", e: Mapping[str, int] = {}, f=HAVE):
    pass


N = 2
Alias = List[Alias]


@flow
def after(a=N, b: Alias = 1):
    pass


@flow
def stars(a: Level = Level.LOW, b: Renamed = Renamed.HIGH, c=LIMIT, d: h.Level = h.Level.LOW, e=LIMIT_2, f: Names = [], g=h.LIMIT, h_: Optional[h.Names] = None, i=hidden):
    pass


class Holder:
    int = str
    Name = List[str]
    DEFAULT = 5

    @flow
    def method(self, a: int, b: Name = [], c=DEFAULT, d: "int" = 1, e: typing.List["int"] = []):
        pass

    @flow
    def plain(self, x: float, y: Optional[str] = None):
        pass


def shadow(int):
    return int


for str_ in []:
    pass


def outer():
    float = 1
    return float


@flow
def untouched(a: int, b: float, c: Optional[str] = None):
    pass


def tuple(x):
    return x


@flow
def shadowed_by_function(b: int, c: List[int] = []):
    pass


A = B = 3
C: int = 4
D, (E, F) = 1, (2, 3)
G = [1]; H = "h"
I = (
    "joined "
    "text"
)
J = -(1 + 2)
K = {"a": N}
L = not True
M = """multi
line"""


@flow
def assigned(a=A, b=B, c=C, d=D, e=E, g=G, h=H, i=I, j=J, k=K, l=L, m=M):
    pass


N = 7
