"""Names that a user may have meant."""

import difflib
from collections.abc import Iterable

_SHOWN = 5
_SIMILARITY = 0.6


def nearest(given: str, known: Iterable[str]) -> list[str]:
    """The names most like one that is not among them, the most likely first; empty where none is.

    One that differs in case alone; else those that begin with it, or with its part before a slash;
    else those that are spelled alike.

    Args:
        given: as the user wrote it.
        known: names to choose from.
    """
    by_case: dict[str, str] = {}
    for name in known:
        by_case.setdefault(name.lower(), name)
    wanted = given.lower()
    same = [wanted] if wanted in by_case else []
    beginning = wanted.partition("/")[0] + "/" if "/" in wanted else wanted
    begun = [name for name in by_case if beginning and name.startswith(beginning)]
    if beginning != wanted:
        begun.sort(key=lambda name: -difflib.SequenceMatcher(None, wanted, name).ratio())
    alike = difflib.get_close_matches(wanted, by_case, _SHOWN, _SIMILARITY)
    return [by_case[name] for name in (same or begun or alike)[:_SHOWN]]
