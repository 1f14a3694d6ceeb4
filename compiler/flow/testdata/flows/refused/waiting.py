from prefect import flow


@flow
def waiting(wait_for: list = []):
    pass


@flow
def beside(a: int, *, b: str):
    pass
