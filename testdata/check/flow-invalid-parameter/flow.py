from prefect import flow


@flow
def hello(_name: str = "you"):
    """Greets."""
    print(_name)
