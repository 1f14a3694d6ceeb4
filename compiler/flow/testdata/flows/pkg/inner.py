import enum

from prefect import flow

CONSTANT = 3


class Level(enum.Enum):
    LOW = 0
    HIGH = 9


@flow
def inner_flow(x: Level = Level.HIGH):
    """Inner."""
