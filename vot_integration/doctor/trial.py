"""A tracker's first frames under the toolkit, and why it failed in them where it did."""

import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from vot_integration.doctor.findings import Finding, Severity
from vot_integration.plain_paths import PlainPaths
from vot_integration.sequences.builtin import BUILTIN_NAMES, write_builtin_sequences
from vot_integration.toolkit.logs import kept_answers, log_tail, newest_log, without_colors
from vot_integration.toolkit.process import run_toolkit
from vot_integration.workspaces.launch import Launch, read_launch
from vot_integration.workspaces.trackers_ini import registrations

TRACKED_FRAMES = 5

_SUCCESS = "Test concluded successfuly"
"""What the toolkit says, in its spelling; it exits with 0 in any case."""


_GREETING = "@@TRAX:hello"

_PROTOCOL = "@@TRAX:"

_TIMEOUT = "Timeout reached"

_REASON = re.compile(r"Server terminated the session: (.*?)(?: \(log: .*\))?$", re.MULTILINE)

_BAD_INPUT = re.compile(r"^(alpharefine\.errors\.)?UsageError: ", re.MULTILINE)


def check_tracker_runs(
    registry: Path, tracker: str, workspace: Path | None = None
) -> Iterator[Finding]:
    """Let the toolkit's own `vot test` start a tracker and show it a few frames.

    Args:
        registry: trackers.ini that registers it.
        tracker: its name.
        workspace: folder in which the frames are put while it runs; None for one of the system.
    """
    started = time.time()
    with tempfile.TemporaryDirectory(prefix=".arvot-", dir=workspace) as name:
        folder = Path(name)
        [sequence] = write_builtin_sequences(
            folder / "sequences", BUILTIN_NAMES[:1], TRACKED_FRAMES + 1
        )
        paths = PlainPaths()
        # The toolkit takes a list of registries, which a path may not fit in.
        listed = paths.of_file(str(registry))
        _, output = run_toolkit(
            ["--registry", listed, "test", tracker, "--sequence", str(sequence)],
            cwd=folder,
            log=folder / "vot-test.log",
        )
        paths.close()
    section = read_launch(registry, tracker)
    logs = section.log_folder
    if _SUCCESS in output:
        kept = kept_answers(logs, started) if logs is not None else {}
        for event, count in kept.items():
            yield Finding(
                Severity.WARNING,
                "trial",
                f"{tracker} was shown {TRACKED_FRAMES} frames and had {count} {event}",
                f"see its log in {logs}: answers must be finite, with sides that are not negative",
            )
        if kept:
            return
        text = f"{tracker} shook hands with the toolkit and tracked {TRACKED_FRAMES} frames"
        yield Finding(Severity.GOOD, "trial", text)
        return
    log = newest_log(logs, since=started) if logs is not None else None
    text, remedy = explain_failure(section, output, log)
    yield Finding(Severity.ERROR, "trial", text, remedy)


class Explanation(NamedTuple):
    """What went wrong, in one or more lines, and what to do about it."""

    text: str
    remedy: str


def explain_failure(section: Launch, output: str, log: Path | None) -> Explanation:
    """Tell the causes apart that the toolkit all calls an error during tracker execution.

    Args:
        section: how the tracker is registered.
        output: what `vot test` has written, with all that came from the tracker.
        log: the tracker's own log; None where it wrote none.
    """
    tracker, output = section.tracker, without_colors(output)
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


def _sooner_or_longer(section: Launch) -> str:
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
