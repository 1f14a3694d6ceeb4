from prefect import flow


@flow
def model_validate(model_validate: int = 1):
    pass


@flow
def beside(a: int, *, b: str):
    pass
