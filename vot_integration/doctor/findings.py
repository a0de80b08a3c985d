"""What a check finds, and which checks are worth making after others have failed."""

import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from alpharefine.errors import UsageError


class Severity(IntEnum):
    """How bad a finding is; the worst one is the exit code of `arvot doctor`.

    What was not tried comes after an error only.
    """

    NOT_TRIED = -1
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
        remedy: what to do about it; empty where there is nothing to do, or where the text says it.
    """

    severity: Severity
    subject: str
    text: str
    remedy: str = ""


@dataclass(frozen=True)
class Check:
    """A check that can be made.

    Attributes:
        subject: what it looks at.
        find: makes it.
        needs: subjects of earlier checks without which it would only find their errors again.
    """

    subject: str
    find: Callable[[], Iterable[Finding]]
    needs: frozenset[str] = frozenset()


def run_checks(checks: Iterable[Check]) -> Iterator[Finding]:
    """Findings of checks, as they come; a check that fails is a finding, too.

    Checks whose needs have failed are not made; a last finding names them.
    """
    failed: set[str] = set()
    left_out = []
    for check in checks:
        if failed & check.needs:
            failed.add(check.subject)
            left_out.append(check.subject)
            continue
        for finding in _make(check):
            if finding.severity is Severity.ERROR:
                failed.add(check.subject)
            yield finding
    if left_out:
        text = f"{', '.join(left_out)}; mend what is wrong above first"
        yield Finding(Severity.NOT_TRIED, "not tried", text)


def worst(findings: Iterable[Finding]) -> Severity:
    """The worst severity of all, GOOD where nothing is bad."""
    return max((finding.severity for finding in findings), default=Severity.GOOD)


def _make(check: Check) -> Iterator[Finding]:
    try:
        yield from check.find()
    except UsageError as error:
        # It says what to do.
        yield Finding(Severity.ERROR, check.subject, str(error))
    except ImportError as error:
        text = f"a package cannot be imported: {_one_line(error)}"
        remedy = "install arvot again into this environment, with what it requires"
        yield Finding(Severity.ERROR, check.subject, text, remedy)
    except OSError as error:
        text = _one_line(error)
        if error.filename is not None:
            text = f"{error.filename}: {error.strerror}"
        remedy = "see that it can be read and written, and that the disk is not full"
        yield Finding(Severity.ERROR, check.subject, text, remedy)
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(place.filename).name}, line {place.lineno}"
        yield Finding(
            Severity.ERROR,
            check.subject,
            f"this check has failed itself: {type(error).__name__}: {_one_line(error)} ({where})",
            "this is a fault of arvot: report it with this line",
        )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
