"""Types in every position: alone, in containers, in unions."""
import collections
import collections.abc as cabc
import datetime
import decimal
import enum
import ipaddress
import pathlib
import re
import typing
import typing as t
import uuid
from datetime import date as day
from typing import (AbstractSet, Annotated, Any, Callable, Collection, Deque, Dict, FrozenSet, Generic, Iterable, Iterator, List, Literal, Mapping,
                    MutableMapping, NewType, Optional, Sequence, Set, Text, Tuple, Type, TypeVar, Union)

import typing_extensions as te
from prefect import flow

T = TypeVar("T")
Bound = TypeVar("Bound", bound=int)
UserId = NewType("UserId", str)
Json = Union[dict, list, str, int, float, bool, None]
Names = list[str]
MaybeNames = Optional[Names]


class Shape(enum.Enum):
    """The outline.

        Indented.
    """

    ROUND = "round"
    SQUARE = "square"
    CIRCLE = "round"

    @property
    def pretty(self):
        return self.value.title()


class Size(enum.IntEnum):
    SMALL = 1
    LARGE = 10


class Mode(str, enum.Enum):
    FAST = "fast"
    SLOW = "slow"


class Ratio(enum.Enum):
    HALF = 0.5
    FULL = 1.0


class Step(enum.Enum):
    A = enum.auto()
    B = 5
    C = enum.auto()


class Word(enum.StrEnum):
    HELLO_WORLD = enum.auto()
    OTHER = "x"


class Own:
    x: int = 1


class Sub(Own):
    pass


class Box(Generic[T]):
    pass


@flow
def enums(a: Shape, b: Size = Size.LARGE, c: Mode = Mode.FAST, d: Ratio = Ratio.HALF, e: Step = Step.C, f: Word = Word.HELLO_WORLD, g: Optional[Shape] = Shape.CIRCLE,
          h: list[Size] = [Size.SMALL], i: dict[Mode, int] = {}, j: Literal[Mode.FAST, Mode.SLOW] = Mode.SLOW, k: Union[Shape, Size] = Shape.ROUND, l: tuple[Shape, int] = (Shape.ROUND, 1),
          m: Mode = "fast", n: Dict[str, Shape] = {"a": Shape.ROUND}, o: Shape = None, p: "Shape" = Shape.SQUARE):
    pass


@flow
def own(a: Own, b: Sub = None, c: list[Own] = [], d: Optional[Own] = None, e: dict[str, Own] = {}, f: Box[int] = None, g: Box = None, h: list[Box[str]] = [], i: Union[Own, int] = 1):
    pass


@flow
def aliases(a: Json = None, b: Names = [], c: MaybeNames = None, d: UserId = "u", e: list[UserId] = [], f: T = None, g: list[T] = [], h: Optional[T] = None, i: dict[str, Json] = {}):
    pass


@flow
def callables(a: Callable, b: Callable[[int], str] = None, c: Optional[Callable] = None, d: list[Callable] = [], e: Union[Callable, int] = 1, f: Callable[..., Any] | None = None,
              g: Union[Callable, int, None] = None, h: cabc.Callable = None, i: dict[str, Callable[[], int]] = {}):
    pass


@flow
def arrays(a: Sequence, b: Sequence[int], c: cabc.Sequence, d: Iterable[str], e: cabc.Iterable, f: Deque, g: collections.deque, h: collections.deque[int], i: List, j: list[list],
           k: Set, l: AbstractSet[int], m: cabc.Set, n: FrozenSet, o: frozenset[str], p: t.List[t.List[int]], q: typing.Set[str], r: cabc.Set[str]):
    pass


@flow
def mappings(a: Mapping, b: Mapping[str, Any], c: MutableMapping[str, int], d: cabc.Mapping[str, int], e: dict[str, dict[str, Any]], f: dict[int, Any], g: dict[day, int],
             h: dict[Literal["a", "b"], int], i: dict[uuid.UUID, list[int]], j: Dict[Any, Any], k: dict[str, object], l: dict[Literal["one"], str], m: dict[bool, str], n: dict[pathlib.Path, int],
             o: cabc.MutableMapping, p: dict[Shape, Any], q: dict[tuple[int, str], int], r: dict[Optional[str], int], s: dict[decimal.Decimal, int]):
    pass


@flow
def tuples(a: tuple, b: Tuple, c: tuple[int], d: tuple[int, ...], e: Tuple[str, ...], f: tuple[()], g: Tuple[int, str, float] = (1, "a", 2.0), h: tuple[tuple[int, int], ...] = (), i: tuple[Any, ...] = ()):
    pass


@flow
def unions(a: Optional[Any], b: Union[Any, int], c: Optional[decimal.Decimal], d: Union[int, None, str], e: None | int, f: Union[int, List[int], list[int]], g: Optional[Union[int, Optional[str]]],
           h: int | float | None, i: list[int] | list[str], j: Optional[Literal["a", "b"]], k: Literal["a"] | Literal["b"], l: Literal["a", None], m: Literal[None], n: Union[Literal[1], Literal["1"]],
           o: Optional[None], p: Union[None], q: Optional[object], r: list[Optional[int]], s: Union[int, bool], t_: Union[decimal.Decimal, str, None], u: Optional[day] = None):
    pass


@flow
def literals(a: Literal[1], b: Literal[True], c: Literal[True, False], d: Literal[-1, 0, 1], e: Literal["x", 1], f: te.Literal["y"], g: Literal["a", "b"] = "a", h: Literal[b"x"] = b"x"):
    pass


@flow
def library(a: datetime.datetime, b: day, c: datetime.time, d: datetime.timedelta, e: uuid.UUID, f: pathlib.Path, g: pathlib.PurePath, h: ipaddress.IPv4Address, i: ipaddress.IPv6Address,
            j: re.Pattern, k: datetime.tzinfo, l: decimal.Decimal, m: bytes, n: complex, o: object, p: Text, q: type, r: Type[int], s: type[str], u: list[type], v: None):
    pass


@flow
def annotated(a: Annotated[int, "note"], b: Annotated[list[int], "x", 3] = [], c: Optional[Annotated[str, "n"]] = None, d: list[Annotated[int, "n"]] = []):
    pass


@flow
def quoted(a: "int", b: "list[int]", c: "Optional[day]" = None, d: list["int"] = [], e: "Names" = [], f: Optional["str"] = None, g: "Literal['a']" = "a", h: list["Own"] = [], i: Optional["Shape"] = None):
    pass


MaybeId = NewType("MaybeId", Optional[int])


@flow
def nested_unions(a: Union[Annotated[Optional[int], "n"], str], b: Union[MaybeId, str], c: Union["int | None", str], d: Optional["int | str"] = None, e: Union[Annotated[None, "n"], int] = 1, f: list["int | None"] = [],
                  g: Optional[MaybeId] = None, h: Annotated[int, "n"] | None = None, i: Union[Optional[int], str] = 1, j: Union[Json, day] = 1, k: Annotated[Union[int, None], "n"] | str = 1, l: Optional["None"] = None):
    pass


@flow
def returns_text(a: day) -> "Missing":
    pass


@flow
def one_missing(a: "Missing", b: day, c: "day", d: "int", e: list[int] = []):
    pass


@flow
def mutual(Any: int, int: str = "x"):
    pass
