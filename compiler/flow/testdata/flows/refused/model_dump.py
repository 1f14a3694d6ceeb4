from prefect import flow


@flow
def model_dump(model_dump: int = 1):
    pass


@flow
def beside(a: int, *, b: str):
    pass
