import no_such_package_anywhere as nsp
from prefect import flow


@flow
def score(path: str, dry: bool = False):
    return nsp.score(path)
