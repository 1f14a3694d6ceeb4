from prefect import flow


@flow
def ingest():
    pass


@flow
def clean():
    pass


@flow
def features():
    pass


@flow
def train():
    pass


@flow
def score():
    pass


@flow
def report():
    pass


@flow
def billing():
    pass


@flow
def fraud():
    pass


@flow
def crm():
    pass


@flow
def alerts():
    pass


@flow
def geo():
    pass


@flow
def small():
    pass
