import functools
import prefect
import prefect.flows
import prefect as p
from prefect import flow, task
from prefect import flow as f
from prefect.flows import flow as direct

NAME = "by constant"
OPTIONS = {"name": "x"}


@flow
def a_b_c(): pass


@flow()
def called(): pass


@f
def alias(): pass


@f(name="given alias")
def alias_called(): pass


@prefect.flow
def dotted(): pass


@p.flow(name="through p", version="1")
def short(): pass


@direct
def direct_import(): pass


@prefect.flows.flow
def long_path(): pass


@flow(name=NAME)
def by_constant(): pass


@flow(name=f"{NAME}!")
def by_fstring(): pass


@flow(name="a" "b" + "c")
def concatenated(): pass


@flow(name="")
def empty_name(): pass


@flow(name=None, version=None, description=None)
def nones():
    """Doc."""


@flow(**OPTIONS)
def by_options(): pass


@flow(version="")
def empty_version(): pass


@flow(version=NAME, retries=3, on_failure=[lambda *a: None], log_prints=True, name="many")
def many(x: int = 1): pass


@task
def a_task(): pass


def undecorated(): pass


@functools.lru_cache
def cached(): pass


@functools.lru_cache
@flow
def cached_flow(x: int): pass


@ flow (
    name = "spaced",   # a comment
)
async def spaced(x: int,
                 # comment
                 y: str = "a",  # another
                 ): pass


flow_assigned = flow(undecorated)
flow_assigned_named = flow(undecorated, name="assigned", version="3")
flow_curried = flow(name="curried")(undecorated)
flow_options = many.with_options(name="other", description="D")
flow_alias = many
flow_not = 3


class Jobs:
    @flow
    def method(self, x: int): pass

    @staticmethod
    @flow
    def outer_static(x: int): pass

    @flow
    @staticmethod
    def inner_static(x: int): pass

    @classmethod
    @flow
    def outer_class(cls, x: int): pass

    @flow
    @classmethod
    def inner_class(cls, x: int): pass

    @task
    def a_task(self): pass

    class Inner:
        @flow
        def deep(self): pass


if True:
    @flow
    def conditional(x: int): pass


try:
    @flow
    def in_try(x: int): pass
except Exception:
    pass


@flow
def twice(x: int): pass


@flow
def twice(y: str): pass


def wrapper(fn):
    @flow(name="wrapped")
    @functools.wraps(fn)
    def inner(*args, **kwargs):
        return fn(*args, **kwargs)
    return inner


@wrapper
def custom(x: int): pass
