from prefect import flow


@flow(name="a<b")
def less(): pass
