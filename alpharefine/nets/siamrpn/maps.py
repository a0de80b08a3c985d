"""What region-proposal networks answer, and what their trackers ask of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from torch import Tensor


@dataclass(frozen=True)
class RpnMaps:
    """Answers for A anchors at each of s x s positions.

    Attributes:
        classification: N x A x s x s logits of the target, or N x 2 A x s x s logits: those of
            the background for all anchors, then those of the target.
        regression: N x 4 A x s x s: dx of all anchors, then dy, dw and dh.
    """

    classification: Tensor
    regression: Tensor

    @property
    def offsets(self) -> Tensor:
        """N x 4 x A x s x s: (dx, dy, dw, dh) of each anchor, float32."""
        n, _, *size = self.regression.shape
        return self.regression.float().reshape(n, 4, -1, *size)

    @property
    def logits(self) -> Tensor:
        """N x A x s x s: logit of the target at each anchor, float32."""
        logits = self.classification.float()
        if 4 * logits.shape[1] == self.regression.shape[1]:
            return logits
        background, target = logits.chunk(2, 1)
        return target - background

    @property
    def scores(self) -> Tensor:
        """N x A x s x s: probability of the target at each anchor, float32."""
        return self.logits.sigmoid()


@runtime_checkable
class RpnNet(Protocol):
    """A region-proposal Siamese network."""

    def features(self, images: Tensor) -> Mapping[str, Tensor]:
        """N x 3 x S x S normalized images -> stage -> N x C x s x s."""
        ...

    def template(self, features: Mapping[str, Tensor]) -> Any:
        """What `predict` needs of a template: once for a whole run."""
        ...

    def predict(self, features: Mapping[str, Tensor], template: Any) -> RpnMaps:
        """Scores and boxes in the search image of these features."""
        ...
