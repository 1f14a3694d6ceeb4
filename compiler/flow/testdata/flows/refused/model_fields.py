from prefect import flow


@flow
def model_fields(model_fields: int = 1):
    pass


@flow
def beside(a: int, *, b: str):
    pass
