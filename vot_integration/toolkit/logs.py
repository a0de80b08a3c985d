"""The ends of log files, for error messages."""

import re
from collections import Counter
from pathlib import Path

LOG_LINES = 25
"""How much of a log goes into an error message."""

LINE_LENGTH = 300

_EXCEPTION = re.compile(r"\s*[A-Za-z_][\w.]*(Error|Exception)\b")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_KEPT = re.compile(r"(\d+) (invalid estimates|unreadable frames)")
"""What `vot_integration.serving.session` counts when it keeps an answer."""

_NOISE = re.compile(r"\d+ %|Tracker output written to file: .*")
"""Progress, and a path in the toolkit's own working folder, which is gone when it is read."""


def newest_log(folder: Path, since: float, pattern: str = "*.log") -> Path | None:
    """The log file in a folder that was written last.

    Args:
        folder: need not be there.
        since: time as of `time.time`; older files do not count.
        pattern: glob pattern of the names.
    """
    fresh = _fresh_logs(folder, since, pattern)
    return max(fresh, key=lambda file: file.stat().st_mtime, default=None)


def kept_answers(folder: Path, since: float) -> Counter[str]:
    """How often servers repeated their last answer because there was no good one, by the cause.

    Args:
        folder: of the servers' logs; need not be there.
        since: time as of `time.time`; older logs do not count.
    """
    counts: Counter[str] = Counter()
    for file in _fresh_logs(folder, since, "*.log"):
        text = file.read_text(encoding="utf-8", errors="replace")
        for number, event in _KEPT.findall(text.rpartition("run ended:")[2]):
            counts[event] += int(number)
    return counts


def _fresh_logs(folder: Path, since: float, pattern: str) -> list[Path]:
    # File times have a coarser clock than time.time on some systems.
    return [file for file in folder.glob(pattern) if file.stat().st_mtime >= since - 1]


def log_tail(text: str) -> str:
    """The end of a log, indented, with the exception it tells of where its message is longer."""
    lines = [line.rstrip()[:LINE_LENGTH] for line in without_colors(text).splitlines()]
    lines = [line for line in lines if line and not _NOISE.fullmatch(line)]
    earlier, last = lines[:-LOG_LINES], lines[-LOG_LINES:]
    if not any(_EXCEPTION.match(line) for line in last):
        last = [line for line in earlier if _EXCEPTION.match(line)][-1:] + last
    return "\n".join(f"  {line}" for line in last) or "  (nothing)"


def without_colors(text: str) -> str:
    """Text of a log without the codes with which a terminal is told to change colors."""
    return _COLOUR.sub("", text)
