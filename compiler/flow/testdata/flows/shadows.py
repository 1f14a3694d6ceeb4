"""Names that are not what they look like."""
import datetime
from typing import List, Optional

from prefect import flow

int = str


class date:
    pass


list = List


@flow
def shadowed(a: int, b: date, c: list, d: Optional[date] = None, e: datetime.date = None):
    pass


int = float
Optional = None


@flow
def again(a: int):
    pass
