from prefect import flow


@flow
def my_flow(number: int = 1, message: str = "hi"):
    print(number, message)


@flow
def yet_another_flow():
    pass
