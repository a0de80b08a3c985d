"""Broken files for readers: what must hold, and how long to look for what does not."""

import os
import time
from collections.abc import Callable

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from alpharefine.errors import UsageError

TOTAL_SECONDS = float(os.environ.get("ARVOT_FUZZ_SECONDS", "600"))
"""How long all readers together are fuzzed in the long form."""

_BATCH = 500


def mutated(valid: list[bytes], pieces: list[bytes]) -> st.SearchStrategy[bytes]:
    """Valid files with a few places replaced: by bytes, by pieces that mean something, by nothing.

    Args:
        valid: files that the reader takes.
        pieces: words of the format.
    """
    inserted = st.one_of(st.sampled_from(pieces), st.binary(max_size=6), st.just(b""))
    edits = st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 40), inserted), min_size=1, max_size=6
    )

    def apply(content: bytes, changes: list[tuple[float, int, bytes]]) -> bytes:
        changed = bytearray(content)
        for place, length, piece in changes:
            start = int(place * len(changed))
            changed[start : start + length] = piece
        return bytes(changed)

    return st.builds(apply, st.sampled_from(valid), edits)


def read_or_refuse(read: Callable[[], object]) -> None:
    """A reader takes its input, or says in one line of a terminal's characters why not."""
    try:
        read()
    except UsageError as error:
        message = str(error)
        assert message.isprintable(), message
        assert len(message) < 1000, message


def fuzz(check: Callable[[bytes], None], contents: st.SearchStrategy[bytes], seconds: float) -> int:
    """Look for contents on which a check fails; returns how many were tried.

    Batches are seeded by their number, so that what fails fails again.
    """
    tried = 0

    def count(content: bytes) -> None:
        nonlocal tried
        tried += 1
        check(content)

    end = time.monotonic() + seconds
    batch = 0
    while time.monotonic() < end:
        run = settings(
            max_examples=_BATCH,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )(seed(batch)(given(contents)(count)))
        run()
        batch += 1
    return tried
