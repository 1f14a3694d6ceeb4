from prefect import flow


def hello(name: str = "you"):
    """Greets."""
    print(name)
