import no_such_package_anywhere as nsp
from prefect import flow


@flow(name="Train It", version="7")
def train(epochs: int = 3, rate: float = 0.1, kind: nsp.Kind = None):
    """Train the model.

    Args:
        epochs: how often
    """


@flow
def score(*, path: str, dry: bool = False):
    pass
