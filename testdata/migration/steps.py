"""A step of the project's own, which needs a package of the project's own."""


def stamped():
    import stamp

    return {"value": stamp.VALUE}
