from prefect import flow


@flow(log_prints=True)
def greet(name: str = "world", times: int = 1):
    """Greets somebody.

    Args:
        name: who is greeted
        times: how often
    """
    for _ in range(times):
        print(f"Hello, {name}!")
