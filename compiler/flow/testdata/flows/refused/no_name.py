from prefect import flow


@flow
def unresolved(a: Missing, b: int, *, c: str):
    pass
