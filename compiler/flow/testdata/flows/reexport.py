from defaults import keyword as flow_keyword
from pkg import shared_flow
from pkg.inner import inner_flow as other_flow, CONSTANT
from pkg.inner import Level
import pkg.inner
import pkg.inner as short
from prefect import flow


@flow
def uses(a: int = CONSTANT, b: Level = Level.LOW, c: short.Level = short.Level.HIGH, d: int = short.CONSTANT, e: pkg.inner.Level = pkg.inner.Level.LOW, f: Level = pkg.inner.Level.LOW):
    pass
