from prefect import flow


@flow
def reserved(return_state: bool = False):
    pass


@flow
def beside(a: int, *, b: str):
    pass
