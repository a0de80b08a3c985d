"""What the parity tests of all online trackers share."""

import pytest

FAMILY = "online"
UNREAD = ("feature_extractor.layer4.", "feature_extractor.fc.")

lengths = pytest.mark.parametrize(
    "count",
    [pytest.param(5, id="start"), pytest.param(None, id="whole", marks=pytest.mark.soak)],
)
"""How many frames of a fixture are tracked; None is all."""
