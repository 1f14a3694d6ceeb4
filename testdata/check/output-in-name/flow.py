from prefect import flow


@flow
def hello(name: str = "you"):
    """Greets."""
    print(name)
