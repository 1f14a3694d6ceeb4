"""Flows of a made-up sales team; no case depends on what they do."""
from typing import Optional

from prefect import flow


@flow
def sales_load(region: str, limit: Optional[int] = None):
    """Load the sales of one region.

    Args:
        region: where the sales were made
        limit: the most rows to load
    """


@flow(name="Sales Report", version="2024.1")
def report(days: list[int] = [1, 7]):
    """Write the weekly report."""


@flow(description="Takes away what is old.")
def tidy(older_than: float = 1.5, dry: bool = True, **more):
    pass
