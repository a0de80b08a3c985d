"""The named trackers: what each is made of. Without torch; `alpharefine.build` builds them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from alpharefine.errors import UsageError
from alpharefine.nets.refine.config import RefineNetConfig
from alpharefine.nets.registry import find_network, networks_with
from alpharefine.nets.spec import InputSpec
from alpharefine.refinement.config import CouplingConfig, RefinerConfig
from alpharefine.trackers.atom.config import ATOM_LITE, AtomConfig
from alpharefine.trackers.dimp.config import DIMP_50, DimpConfig
from alpharefine.trackers.eco.config import ECO_HC, ECO_LITE, EcoConfig
from alpharefine.trackers.online.config import NO_BOX_REFINEMENT, LocalizationConfig
from alpharefine.trackers.rtmdnet.config import RTMDNET_LITE, RtMdNetConfig
from alpharefine.trackers.siamfc.config import SIAMFC_TUNED, SiamFcConfig
from alpharefine.trackers.siamrpn.config import (
    SIAMRPN_LITE,
    SIAMRPN_PLUS_TUNED,
    TA_SIAMRPN_PP,
    SiamRpnConfig,
)

if TYPE_CHECKING:
    from torch import nn

    from alpharefine.runtime import Runtime
    from alpharefine.types import Tracker


class TrackerConfig(Protocol):
    """Settings of a base tracker: a frozen dataclass in a module that does not import torch."""

    def build(self, network: "nn.Module", runtime: "Runtime", input_spec: InputSpec) -> "Tracker":
        """The tracker.

        Args:
            network: with loaded weights, prepared by `runtime`.
            runtime: device and precision of the network.
            input_spec: what the network expects of its crops.
        """
        ...


@dataclass(frozen=True)
class RefinementSpec:
    """Alpha-Refine behind a base tracker.

    Attributes:
        network: name in `alpharefine.nets.registry.NETWORKS`.
        refiner: how crops are cut and answers read.
        coupling: how base tracker and refiner work together.
    """

    network: str
    refiner: RefinerConfig = field(default_factory=RefinerConfig)
    coupling: CouplingConfig = field(default_factory=CouplingConfig)


@dataclass(frozen=True)
class TrackerSpec:
    """A tracker that can be built; `dataclasses.replace` makes others of it.

    Attributes:
        name: as users and the toolkit call it.
        network: name in `alpharefine.nets.registry.NETWORKS`.
        config: of the base tracker.
        refinement: None for the base tracker alone.
        refined_config: of the base tracker where a refinement gives it the target's size, if that
            is another one; of base trackers alone.

    Example:
        >>> spec = find_tracker("DiMPsuper")
        >>> faster = replace(spec, config=replace(spec.config, image_sample_size=288))
    """

    name: str
    network: str
    config: TrackerConfig
    refinement: RefinementSpec | None = None
    refined_config: TrackerConfig | None = None

    @property
    def has_mask(self) -> bool:
        """Whether the tracker answers masks."""
        return self.refinement is not None

    @property
    def networks(self) -> tuple[str, ...]:
        """Names of all networks that it needs weights for."""
        names = (self.network, *([self.refinement.network] if self.refinement else []))
        return tuple(name for name in names if find_network(name).has_weights)


REFINEMENTS: Mapping[str, RefinementSpec] = {
    **{name: RefinementSpec(name) for name in networks_with(RefineNetConfig)},
    "ar_lite": RefinementSpec(
        "ar_lite",
        RefinerConfig(mask_threshold=0.35, least_fill=0.02, reference_share=0.35),
        CouplingConfig(
            feedback="refined_if_found",
            feedback_rate=0.35,
            reference_interval=5,
        ),
    ),
    "ar_c21_r34": RefinementSpec(
        "ar_c21_r34", coupling=CouplingConfig(refine_around="base", feedback="refined_if_found")
    ),
    "ar_c21_r18": RefinementSpec(
        "ar_c21_r18", coupling=CouplingConfig(refine_around="base", feedback="refined_if_found")
    ),
}
"""Name -> refinement, for any base tracker."""

_LITE = DimpConfig(
    image_sample_size=288,
    search_area_scale=5.0,
    train_skipping=10,
    localization=LocalizationConfig(target_not_found_threshold=0.15),
)
_BENCHMARK = "VOT2018"
"""Whose tuned parameters trackers have that were published with some for each benchmark."""

_BASES = (
    TrackerSpec(
        "DiMPlite",
        "dimp_lite",
        _LITE,
        # Alpha-Refine gives the box: the base tracker need not find a size, and learns that box.
        refined_config=replace(
            _LITE,
            box_refinement=NO_BOX_REFINEMENT,
            learn_settled=True,
        ),
    ),
    TrackerSpec("SiamRPN_lite", "siamrpn_lite", SIAMRPN_LITE),
    TrackerSpec(
        "ATOM_lite",
        "dimp_lite",
        ATOM_LITE,
        refined_config=replace(ATOM_LITE, box_refinement=NO_BOX_REFINEMENT, learn_settled=True),
    ),
    TrackerSpec("ECO_lite", "dimp_lite", ECO_LITE),
    TrackerSpec("ECO_hc", "handcrafted", ECO_HC),
    TrackerSpec("RTMDNet_lite", "rtmdnet_lite", RTMDNET_LITE),
    TrackerSpec("DiMPsuper", "super_dimp", DimpConfig()),
    TrackerSpec("DiMP50", "dimp50", DIMP_50),
    TrackerSpec("DiMP18", "dimp18", DIMP_50),
    TrackerSpec("ATOM", "atom", AtomConfig()),
    TrackerSpec("ECO", "eco", EcoConfig()),
    TrackerSpec("RTMDNet", "rtmdnet", RtMdNetConfig()),
    TrackerSpec("SiamRPNpp", "siamrpnpp", SiamRpnConfig()),
    TrackerSpec("TaSiamRPNpp", "siamrpnpp", TA_SIAMRPN_PP),
    TrackerSpec("SiamFCRes22", "siamfc_res22", SIAMFC_TUNED["siamfc_res22"][_BENCHMARK]),
    TrackerSpec("SiamFCRes22W", "siamfc_res22w", SiamFcConfig()),
    TrackerSpec("SiamFCIncep22", "siamfc_incep22", SIAMFC_TUNED["siamfc_incep22"][_BENCHMARK]),
    TrackerSpec("SiamFCNext22", "siamfc_next22", SIAMFC_TUNED["siamfc_next22"][_BENCHMARK]),
    TrackerSpec("SiamRPNRes22", "siamrpn_res22", SIAMRPN_PLUS_TUNED[_BENCHMARK]),
    TrackerSpec("SiamRPNRes22_thicker", "siamrpn_res22_thicker", SIAMRPN_PLUS_TUNED[_BENCHMARK]),
)
PAIRS: Mapping[str, tuple[str, str]] = {
    "ARDiMP_lite": ("DiMPlite", "ar_lite"),
    "ARSiamRPN_lite": ("SiamRPN_lite", "ar_lite"),
    "ARATOM_lite": ("ATOM_lite", "ar_lite"),
    "ARECO_lite": ("ECO_lite", "ar_lite"),
    "ARECO_hc": ("ECO_hc", "ar_lite"),
    "ARRTMDNet_lite": ("RTMDNet_lite", "ar_lite"),
    "ARDiMP_v20": ("DiMPsuper", "ar_v20"),
    "ARDiMP_c21": ("DiMPsuper", "ar_c21_r34"),
    "ARDiMP50": ("DiMP50", "ar_c21_r34"),
    "ARATOM": ("ATOM", "ar_c21_r34"),
    "ARECO": ("ECO", "ar_c21_r34"),
    "ARRTMDNet": ("RTMDNet", "ar_c21_r34"),
    "ARSiamRPNpp": ("SiamRPNpp", "ar_c21_r34"),
    "ARTaSiamRPNpp": ("TaSiamRPNpp", "ar_c21_r34"),
    "ARSiamFCRes22": ("SiamFCRes22", "ar_c21_r34"),
    "ARSiamRPNRes22": ("SiamRPNRes22", "ar_c21_r34"),
}
"""Name -> base tracker and refinement."""

_BASE_BY_NAME = {spec.name: spec for spec in _BASES}


def refine(base: TrackerSpec, refinement: RefinementSpec, name: str | None = None) -> TrackerSpec:
    """A base tracker with a refinement behind it.

    Args:
        base: without a refinement of its own.
        refinement: what comes behind it.
        name: of the result; None is "BASE+NETWORK".
    """
    config = base.config
    if base.refined_config is not None and refinement.coupling.feedback != "base":
        config = base.refined_config
    name = name or f"{base.name}+{refinement.network}"
    return TrackerSpec(name, base.network, config, refinement)


TRACKERS: Mapping[str, TrackerSpec] = {
    spec.name: spec
    for spec in (
        *(
            refine(_BASE_BY_NAME[base], REFINEMENTS[refinement], name)
            for name, (base, refinement) in PAIRS.items()
        ),
        *_BASES,
    )
}
"""Name -> tracker; the first one is the default."""

DEFAULT_TRACKER = next(iter(TRACKERS))


def list_trackers() -> list[str]:
    """Names for `create_tracker`, the default first.

    Any base tracker also works with any refinement, as "BASE+REFINEMENT".

    Example:
        >>> list_trackers()[0]
        'ARDiMP_lite'
    """
    return list(TRACKERS)


def find_tracker(name: str) -> TrackerSpec:
    """The tracker of a name in `TRACKERS`, or of any pair as "BASE+REFINEMENT".

    Raises:
        UsageError: there is none of this name.
    """
    if name in TRACKERS:
        return TRACKERS[name]
    base, plus, refinement = name.partition("+")
    if not plus:
        raise UsageError(
            f"unknown tracker {name!r}; choose one of {', '.join(TRACKERS)}, or any BASE+REFINEMENT"
        )
    if base not in _BASE_BY_NAME:
        raise UsageError(
            f"unknown base tracker {base!r} in {name!r}; choose one of {', '.join(_BASE_BY_NAME)}"
        )
    if refinement not in REFINEMENTS:
        raise UsageError(
            f"unknown refinement {refinement!r} in {name!r}; choose one of {', '.join(REFINEMENTS)}"
        )
    return refine(_BASE_BY_NAME[base], REFINEMENTS[refinement])
