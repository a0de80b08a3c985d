"""What became of the sequences of a source."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vot_integration.sequences.folder import counted

_SHOWN = 3
"""Names in a line about many sequences that nothing has to be done about."""


@dataclass(frozen=True)
class Written:
    """A new sequence.

    Attributes:
        path: its folder.
        frames: how many it has.
        total: how many the source has; those that it has not have no ground truth, or come before
            the target.
        notes: what the user should know of it, a line each.
        flaw: what is wrong with its source; None if nothing.
    """

    path: Path
    frames: int
    total: int
    notes: Sequence[str] = ()
    flaw: str | None = None

    def __str__(self) -> str:
        count = self.frames if self.frames == self.total else f"{self.frames} of {self.total}"
        return f"{self.path} ({count} frames)"


@dataclass(frozen=True)
class Skipped:
    """A sequence that was not written.

    Attributes:
        name: of the sequence.
        reason: why not, and what to do about it.
        is_flaw: whether something is wrong with it, rather than secret.
    """

    name: str
    reason: str
    is_flaw: bool = True


@dataclass(frozen=True)
class Conversion:
    """What became of all of them.

    Attributes:
        written: new sequences.
        kept: names of those that were in the destination already, and were left as they are.
        skipped: those that could not be written.
    """

    written: Sequence[Written]
    kept: Sequence[str] = ()
    skipped: Sequence[Skipped] = ()

    @property
    def is_complete(self) -> bool:
        """Whether nothing was wrong with any sequence, those that were written among them."""
        return not any(skipped.is_flaw for skipped in self.skipped) and not any(
            written.flaw for written in self.written
        )

    def notes(self) -> list[str]:
        """What the user should know of the sequences that were written, a line each."""
        notes = (
            note
            for written in self.written
            for note in (*written.notes, *([written.flaw] if written.flaw else []))
        )
        # Objects of the same masks share theirs.
        return list(dict.fromkeys(notes))

    def left_out(self) -> list[str]:
        """A line for each reason why sequences were not written, with those that it holds for."""
        reasons: dict[tuple[str, bool], list[str]] = {}
        for skipped in self.skipped:
            reasons.setdefault((skipped.reason, skipped.is_flaw), []).append(skipped.name)
        lines = [
            # Of what has a flaw, all have to be known, to mend it.
            f"skipped {_named(names, len(names) if is_flaw else _SHOWN)}: {reason}"
            for (reason, is_flaw), names in reasons.items()
        ]
        if self.kept:
            verb = "it is" if len(self.kept) == 1 else "they are"
            lines.append(f"there already, left as {verb}: {_named(self.kept, _SHOWN)}")
        return lines


def _named(names: Sequence[str], most: int) -> str:
    # A terminal would obey characters that cannot be printed.
    shown = [name if name.isprintable() else ascii(name) for name in names[:most]]
    if len(names) == 1:
        return shown[0]
    more = ["..."] if len(names) > most else []
    return f"{counted(len(names))} ({', '.join([*shown, *more])})"
