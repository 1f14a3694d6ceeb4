from prefect import flow


@flow
def model_config_(model_config: int = 1):
    pass


@flow
def beside(a: int, *, b: str):
    pass
