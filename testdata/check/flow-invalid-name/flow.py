from prefect import flow


@flow(name="a/b")
def hello(name: str = "you"):
    """Greets."""
    print(name)
