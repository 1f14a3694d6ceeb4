import functools

from prefect import flow

SIZES = [2**n for n in range(4)]


@flow
def work(size: int = max(SIZES), label: str = "-".join(["a", "b"]), ratio: float = functools.reduce(lambda a, b: a / b, [8, 2, 2])):
    """Work on it."""
