from prefect import flow


@flow(name="100%")
def percent(): pass
