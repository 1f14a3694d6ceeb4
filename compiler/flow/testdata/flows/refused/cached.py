import functools

from prefect import flow


@flow
@functools.lru_cache
def flow_of_cached(x: int): pass
