from __future__ import annotations

from datetime import date
from typing import Optional

from prefect import flow


class Jobs:
    Alias = int

    @flow
    def text(self, a: date, b: Optional[int] = None):
        pass

    @flow
    def hidden(self, a: date, b: Alias = 1):
        pass

    @flow
    @staticmethod
    def static(a: date, *, b: "date" = None):
        pass


@flow
async def doc_only(a: Optional[date] = None):
    """Doc.

    Parameters:
        a: when
    """
