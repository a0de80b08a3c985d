"""What the page asks for and does not get, in one line, with the status of HTTP that says so."""

from alpharefine.errors import UsageError


class RefusedError(UsageError):
    """A request that cannot be answered.

    Args:
        message: one line, for the page.
        status: of HTTP, 4xx or 5xx.
    """

    def __init__(self, message: object, status: int) -> None:
        super().__init__(message)
        self.status = status


def not_now(message: str) -> RefusedError:
    """A request that comes at the wrong time."""
    return RefusedError(message, 409)
