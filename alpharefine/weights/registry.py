"""The weights that have a name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from alpharefine.weights.files import SUFFIX

_IMAGENET = (
    "RGB in 0..1, minus (0.485, 0.456, 0.406), divided by (0.229, 0.224, 0.225); crop {0} x {0}"
)
_PYTRACKING = "https://github.com/visionml/pytracking/blob/master/MODEL_ZOO.md"
_ALPHA_REFINE = "https://github.com/MasterBin-IIAU/AlphaRefine"
_LITE_SHA256 = "f96e194f0baae00b77ae681d6193d6e39a0db9fe43d1ed41f3da442d695a3f7a"
_LITE_SIZE = 20_513_172
_OFFICIAL_LICENCE = "the authors' (code GPL-3.0; trained on research data sets); not distributed"


@dataclass(frozen=True)
class WeightsSpec:
    """Named weights.

    Attributes:
        name: what the user calls them.
        kinds: networks that they are for, see `alpharefine.weights.kinds`.
        url: where the converted file can be fetched; None when it cannot.
        sha256: of the file; None when unknown, which only weights without `url` may have.
        size: bytes, None when unknown.
        licence: terms of use, in words.
        preprocessing: what the network expects of its input.
        source: where the weights come from, and the paper.
        obtain: what to do when they are not on this machine, as an imperative.
        reported: results that the source states.

    Raises:
        ValueError: an entry of the table is wrong.
    """

    name: str
    kinds: tuple[str, ...]
    url: str | None
    sha256: str | None
    size: int | None
    licence: str
    preprocessing: str
    source: str
    obtain: str
    reported: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\w[\w.-]*", self.name):
            raise ValueError(f"{self.name!r} is not a plain file name")
        if self.url is not None and self.sha256 is None:
            raise ValueError(f"{self.name}: weights with a url need a sha256")

    @property
    def file(self) -> str:
        """Its file name, in the package and in the cache."""
        return f"{self.name}{SUFFIX}"


def _official(kind: str, file: str, side: int, page: str, paper: str, reported: str) -> WeightsSpec:
    return WeightsSpec(
        name=kind,
        kinds=(kind,),
        url=None,
        sha256=None,
        size=None,
        licence=_OFFICIAL_LICENCE,
        preprocessing=_IMAGENET.format(side),
        source=f"{file}, {page}; {paper}",
        obtain=(
            f"download {file} from the authors' model zoo ({page}, needs a browser), "
            f"then `arvot weights fetch {kind} --from {file}`"
        ),
        reported=reported,
    )


WEIGHTS: Mapping[str, WeightsSpec] = {
    spec.name: spec
    for spec in (
        WeightsSpec(
            name="lite",
            kinds=("dimp_lite", "ar_lite"),
            url=None,
            sha256=_LITE_SHA256,
            size=_LITE_SIZE,
            licence="MIT; trained on research data sets, see MODEL_CARD.md",
            preprocessing=_IMAGENET.format("288 (base) and 256 (refinement)"),
            source="trained with `arvot train`; backbones begin with EfficientNet-Lite0 (ImageNet)",
            obtain="install arvot again, they are part of it",
            reported="see MODEL_CARD.md",
        ),
        _official(
            "super_dimp",
            "super_dimp.pth.tar",
            352,
            _PYTRACKING,
            "Bhat et al. (ICCV 2019), Danelljan et al. (CVPR 2020)",
            "",
        ),
        _official(
            "ar_v20",
            "ARnet_seg_mask_ep0040.pth.tar",
            384,
            _ALPHA_REFINE,
            "Yan et al., VOT2020 real-time winner",
            "VOT2020 short-term with super_dimp: EAO 0.493 baseline, 0.499 real-time",
        ),
        _official(
            "ar_c21_r34",
            "SEcmnet_ep0040-c.pth.tar",
            256,
            _ALPHA_REFINE,
            "Yan et al., CVPR 2021",
            "",
        ),
        _official(
            "ar_c21_r18",
            "SEcm_r18",
            256,
            _ALPHA_REFINE,
            "Yan et al., CVPR 2021",
            "",
        ),
    )
}
"""Name -> weights."""
