"""Why a tracker failed under the toolkit's `vot test`, and what can be done about it."""

import re
from pathlib import Path
from typing import NamedTuple

from vot_integration.doctor.section import Section
from vot_integration.evaluation.logs import log_tail, without_colours
from vot_integration.workspaces.trackers_ini import registrations

_GREETING = "@@TRAX:hello"
_PROTOCOL = "@@TRAX:"
_TIMEOUT = "Timeout reached"
_REASON = re.compile(r"Server terminated the session: (.*?)(?: \(log: .*\))?$", re.MULTILINE)
_BAD_INPUT = re.compile(r"^(alpharefine\.errors\.)?UsageError: ", re.MULTILINE)


class Explanation(NamedTuple):
    """What went wrong, in one or more lines, and what to do about it."""

    text: str
    remedy: str


def explain_failure(section: Section, output: str, log: Path | None) -> Explanation:
    """Tell the causes apart that the toolkit all calls an error during tracker execution.

    Args:
        section: how the tracker is registered.
        output: what `vot test` has written, with all that came from the tracker.
        log: the tracker's own log; None where it wrote none.
    """
    tracker, output = section.tracker, without_colours(output)
    told = log.read_text(encoding="utf-8", errors="replace") if log is not None else ""
    own = [f"The end of its own log ({log}):", log_tail(told)] if log is not None else []
    reason = _REASON.search(output)
    if reason is not None and (log is None or _BAD_INPUT.search(told)):
        where = f"; its log is {log}" if log is not None else ""
        return Explanation(f"{tracker} says: {reason[1]}", f"these are its own words{where}")
    if reason is not None:
        text = _lines(f"{tracker} failed: {reason[1]}", *own)
        return Explanation(text, "mend what the end of its log names")
    if _TIMEOUT in output:
        text = _lines(f"{tracker} did not answer within {section.timeout} s", *own)
        return Explanation(text, _sooner_or_longer(section))
    said = log_tail(_without_protocol(output))
    if _GREETING not in output:
        text = _lines(f"{tracker} did not come up; its process and the toolkit say:", said, *own)
        return Explanation(
            text, f"mend what the last lines name; by hand it starts with: {section.by_hand}"
        )
    text = _lines(f"{tracker} came up and failed; it and the toolkit say:", said, *own)
    return Explanation(text, "mend what the last lines name")


def _sooner_or_longer(section: Section) -> str:
    if section.tracker in registrations():
        return "another --device, or a smaller tracker, answers sooner"
    return (
        f"if it needs longer, write `timeout = SECONDS` into section {section.tracker} of "
        f"{section.registry}"
    )


def _without_protocol(output: str) -> str:
    """Output without the messages between toolkit and tracker, which are long and say little."""
    return "\n".join(line for line in output.splitlines() if not line.startswith(_PROTOCOL))


def _lines(*parts: str) -> str:
    return "\n".join(parts)
