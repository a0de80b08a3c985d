"""The catalog's own trackers, served by the package's entry point."""

import pytest
from vot.dataset import Sequence
from vot.tracker import TrackerException

from alpharefine.catalogue import TRACKERS
from tests.serving.conftest import Launch
from tests.serving.test_formats import TARGETS, start, trace

SERVER = "vot_integration.server"


def check_starts(launch: Launch, sequence: Sequence, name: str) -> None:
    """Two anchors in one process, back and forth, answer bit for bit what fresh ones do."""
    anchors = [(5, "mask"), (6, "rectangle")]
    # More than one thread, as in use: the order of sums must not depend on their luck.
    settings = {"name": name, "command": SERVER, "env_OMP_NUM_THREADS": "2"}
    fresh = []
    for frame, target in anchors:
        with launch(**settings) as runtime:
            fresh.append(trace(runtime, sequence, TARGETS[target], frame))
    with launch(**settings) as runtime:
        for index in (0, 1, 0):
            frame, target = anchors[index]
            assert trace(runtime, sequence, TARGETS[target], frame) == fresh[index]


def test_default_tracker_starts_again_bit_for_bit(launch: Launch, sequence: Sequence) -> None:
    check_starts(launch, sequence, "ARDiMP_lite")


@pytest.mark.soak
@pytest.mark.parametrize("name", [name for name in TRACKERS if name != "ARDiMP_lite"])
def test_every_tracker_starts_again_bit_for_bit(
    launch: Launch, sequence: Sequence, name: str
) -> None:
    check_starts(launch, sequence, name)


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ({"name": "NoSuch_box"}, "unknown tracker 'NoSuch'"),
        pytest.param(
            {"name": "ARDiMP_lite", "env_ARVOT_WEIGHTS": "no-such-weights"},
            "no-such-weights",
            marks=pytest.mark.soak,
        ),
        pytest.param(
            {"name": "ARDiMP_lite", "env_ARVOT_DEVICE": "abacus"},
            "abacus",
            marks=pytest.mark.soak,
        ),
    ],
)
def test_bad_settings_reach_the_toolkit_in_one_line(
    launch: Launch, sequence: Sequence, entries: dict[str, str], reason: str
) -> None:
    with (
        launch(command=SERVER, **entries) as runtime,
        pytest.raises(TrackerException, match=reason) as caught,
    ):
        start(runtime, sequence, TARGETS["rectangle"])
    assert "\n" not in str(caught.value)
