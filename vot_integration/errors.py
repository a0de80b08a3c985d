"""Errors of an evaluation."""


class EvaluationError(Exception):
    """The tracker or the toolkit failed.

    The message may have several lines: what failed, and the end of the log that says why. Command
    lines print it and exit with code 1.
    """
