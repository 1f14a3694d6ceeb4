from prefect import flow


@flow
def hello(a: int = (1):
    pass
