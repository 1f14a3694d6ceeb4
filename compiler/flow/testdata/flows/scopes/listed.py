from prefect import flow
from exporting import *

SHOWN_TOO = SHOWN


@flow
def listed(a=SHOWN, b: int = SHOWN_TOO):
    pass
