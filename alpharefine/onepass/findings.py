"""Faults of many files or sequences, said in a line a kind."""

from dataclasses import dataclass, field

SHOWN = 3
"""Names that a line gives before it counts the others."""


@dataclass
class Findings:
    """Places by what is wrong with them, kinds in the order in which they were found.

    Attributes:
        places: kind in words -> sequences or files; none where all is meant.
    """

    places: dict[str, list[str]] = field(default_factory=dict)

    def add(self, kind: str, place: str, detail: str = "") -> None:
        """Note a kind at a sequence or file."""
        self.places.setdefault(kind, []).append(f"{place} ({detail})" if detail else place)

    def say(self, kind: str) -> None:
        """Note a kind of the whole."""
        self.places.setdefault(kind, [])

    def lines(self) -> list[str]:
        """A line a kind, with how often it occurs and the first places.

        Example:
            >>> found = Findings()
            >>> for name in ("a", "b", "c", "d"):
            ...     found.add("files without a row", name)
            >>> found.lines()
            ['files without a row: 4, such as a, b, c']
        """
        return [
            f"{kind}: {_named(places)}" if places else kind for kind, places in self.places.items()
        ]


def _named(places: list[str]) -> str:
    if len(places) <= SHOWN:
        return ", ".join(places)
    return f"{len(places)}, such as {', '.join(places[:SHOWN])}"
