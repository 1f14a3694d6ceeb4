from __future__ import annotations

import typing
import typing as t
from datetime import date
from typing import TYPE_CHECKING, Literal, Optional

from prefect import flow

if TYPE_CHECKING:
    from decimal import Decimal


class Own:
    pass


@flow
def fine(a: int, b: date, c: Optional[date] = None, d: Literal["x"] = "x", e: Own = None, f: "int" = 1, g: "date" = None, h: list[Own] = [], i: list["date"] = [], j: Optional["int"] = None):
    pass


@flow
def hidden(a: int, b: Decimal, c: date, d: Optional[int] = None, e: t.Optional[int] = None, f: typing.List[str] = [], g: list[int] = [], h: int | None = None, i: dict[str, date] = {}, j: "int" = 1,
           k: typing.Literal["a"] = "a", l: Own = None, m: list[Decimal] = [], n: None = None, o: typing.Callable = None, p: t.Any = 1):
    pass


@flow
def result(a: date, b: int) -> Decimal:
    pass


@flow
def later(a: date, b: Below = None):
    pass


class Below:
    pass
