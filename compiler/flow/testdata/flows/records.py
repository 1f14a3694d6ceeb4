"""Models and dataclasses as parameters."""
import dataclasses
import datetime
import enum
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Callable, ClassVar, Dict, List, Literal, Optional, Union

import pydantic
from prefect import flow
from pydantic import BaseModel, Field

LIMIT = 3


class Color(enum.Enum):
    RED = "red"


class Own:
    pass


class Point(BaseModel):
    """A point.

    On two lines.
    """

    x: int
    y_value: float = 0.5
    the2nd_name: str = "n"
    URLOfIt: Optional[str] = None
    tags: list[str] = []
    color: Color = Color.RED
    maybe_color: Optional[Color] = None
    when: date
    anything: Any = None
    mapping: Dict[str, List[int]] = {}
    limit: int = LIMIT
    kind: Literal["a", "b"] = "a"
    money: Decimal = Decimal("1.5")

    def length(self):
        return self.x


class Line(pydantic.BaseModel):
    start: Point
    end: Optional[Point] = None
    more: list[Point] = Field(default_factory=list, description="More.")
    either: Union[Point, Color] = None
    n: int = Field(3, description="How many.")
    needed: str = Field(description="Needed.")
    also: str = Field(..., description="Also.")


class Empty(BaseModel):
    pass


class Documented(BaseModel):
    """Only a docstring."""


class Shadow(BaseModel):
    date: date
    other: date = None


class Tree(BaseModel):
    value: int
    children: list["Tree"] = []


class Child(Point):
    z: int


class Limited(BaseModel):
    n: int = Field(gt=1)


class Configured(BaseModel):
    model_config = {"extra": "forbid"}

    n: int


class Validated(BaseModel):
    n: int

    @pydantic.field_validator("n")
    def check(cls, v):
        return v


@dataclass
class Options:
    """The options."""

    path: str
    depth: int = 3
    names: list[str] = field(default_factory=list)
    color: Color = Color.RED
    maybe: Optional[Color] = None
    when: date = date(2024, 1, 2)
    point: Optional[Point] = None
    plain: int = field(default=4)
    bare: int = field(default=5, repr=False)


@dataclasses.dataclass(frozen=True)
class Frozen:
    flag_it: bool = False


@dataclass(kw_only=True)
class Keyword:
    a: int = 1
    b: str


@flow
def models(point: Point, line: Line, empty: Empty, documented: Documented, some: list[Point] = [], by_name: dict[str, Line] = {}, maybe: Optional[Point] = None, either: Union[Point, Line, None] = None, *, color: Color = Color.RED):
    """Models.

    Args:
        point: described
    """


@flow
def odd_models(tree: Tree, child: Child, limited: Limited, configured: Configured, validated: Validated, shadow: Shadow):
    pass


@flow
def classes(options: Options, frozen: Frozen, keyword: Keyword, maybe: Optional[Options] = None, many: list[Frozen] = []):
    pass


@flow
def model_defaults(a: Point = None, b: Frozen = Frozen(), c: Point = Point(x=1, when=date(2024, 1, 1)), d: Options = Options("x"), e: Empty = Empty()):
    pass
