from prefect import flow


@flow
def hello(name: str = "you", times: int = 1):
    print(name * times)
