"""What the parity tests of all Siamese trackers share."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from alpharefine.nets.siamfc.network import SiamFcNet
from alpharefine.nets.siamrpn.maps import RpnMaps, RpnNet
from alpharefine.runtime import Runtime
from alpharefine.trackers.siamese.state import TargetState
from tests.parity.fixtures import has_video, sha1, video_frames

RUNTIME = Runtime(torch.device("cpu"), torch.float32)


class RepeatingRpn:
    """A network that answers at once where its input is the last one.

    A free run and one from the fixture's states see the same crops, if all is well.
    """

    def __init__(self, network: RpnNet) -> None:
        self._network = network
        self._images: Tensor | None = None
        self._maps: RpnMaps | None = None

    def features(self, images: Tensor) -> Mapping[str, Tensor]:
        if self._images is not None and torch.equal(images, self._images):
            return {}
        self._images, self._maps = images, None
        return self._network.features(images)

    def template(self, features: Mapping[str, Tensor]) -> Any:
        return self._network.template(features)

    def predict(self, features: Mapping[str, Tensor], template: Any) -> RpnMaps:
        if self._maps is None:
            self._maps = self._network.predict(features, template)
        return self._maps


class RepeatingFc(SiamFcNet):
    """The same for SiamFC+."""

    def __init__(self, network: SiamFcNet) -> None:
        torch.nn.Module.__init__(self)
        self.config = network.config
        self.backbone = network.backbone
        self._images: Tensor | None = None
        self._features: dict[str, Tensor] = {}

    def features(self, images: Tensor) -> dict[str, Tensor]:
        if self._images is None or not torch.equal(images, self._images):
            self._images, self._features = images, super().features(images)
        return self._features


def check_state(
    state: TargetState, center: NDArray[Any], size: NDArray[Any], tolerance: float
) -> None:
    """Center and size differ by at most `tolerance` px."""
    actual, expected = [*state.center, state.w, state.h], [*center, *size]
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance)


def state_of(center: NDArray[Any], size: NDArray[Any]) -> TargetState:
    return TargetState(*map(float, (*center, *size)))


def clip(name: str, digests: NDArray[Any], first: int = 0) -> list[NDArray[np.uint8]] | None:
    """RGB frames of a fixture's video, None where the video is not on this machine.

    Args:
        name: of the video, without hyphens.
        digests: SHA-1 of the BGR bytes of the frames from `first` on.
        first: frames before them.
    """
    count = first + len(digests)
    if name != "synth" and not has_video(name):
        return None
    frames = video_frames(name, count)
    for frame, digest in zip(frames[first:], digests, strict=True):
        assert sha1(frame[..., ::-1]) == digest
    return frames
