"""What a check finds."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum


class Severity(IntEnum):
    """How bad a finding is; the worst one is the exit code of `arvot doctor`."""

    GOOD = 0
    WARNING = 1
    ERROR = 2


@dataclass(frozen=True)
class Finding:
    """Outcome of one check.

    Attributes:
        severity: how bad it is.
        subject: what was looked at.
        text: what was found; may have several lines.
        remedy: what to do about it; empty where there is nothing to do.
    """

    severity: Severity
    subject: str
    text: str
    remedy: str = ""


Check = Callable[[], Iterable[Finding]]


def run_checks(checks: Iterable[tuple[str, Check]]) -> Iterator[Finding]:
    """Findings of named checks, as they come; a check that fails is a finding, too."""
    for subject, check in checks:
        try:
            yield from check()
        except Exception as error:
            message = " ".join(str(error).split())
            yield Finding(Severity.ERROR, subject, f"{type(error).__name__}: {message}")


def worst(findings: Iterable[Finding]) -> Severity:
    """The worst severity of all, GOOD where there are none."""
    return max((finding.severity for finding in findings), default=Severity.GOOD)
