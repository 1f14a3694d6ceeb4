def make(size):
    return {"text": "round", "flag": True, "none": None, "size": size, "half": size / 2, "tree": {"leaf": [1, "b"]}, "items": [1, 2.5, "x", None, False]}


async def wait(value):
    return {"got": value.upper()}


def nothing():
    return None
