from prefect import flow


@flow
def dunder(__x: int = 1):
    pass


@flow
def beside(a: int, *, b: str):
    pass
