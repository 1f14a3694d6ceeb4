import a_package_that_only_the_image_has  # noqa: F401
from prefect import flow


@flow
def report(region: str = "eu"):
    """Reports on a region."""
