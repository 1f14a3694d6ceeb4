"""A report over the day before."""
from datetime import date
from typing import Literal, Optional

from prefect import flow, task


@task
def rows(day: date) -> list[int]:
    return [day.day, day.month, day.year]


@flow(name="daily-report")
def daily_report(day: Optional[date] = None, region: Literal["eu", "us"] = "eu"):
    """Adds up the numbers of one day."""
    total = sum(rows(day or date.today()))
    print(f"{region}: {total}")
    return total
