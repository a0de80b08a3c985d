"""The named trackers: what each is made of, and how it is built."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from alpharefine.errors import UsageError
from alpharefine.nets.dimp import build_dimp_network
from alpharefine.nets.refine import RefineNetwork, build_refine_network
from alpharefine.refine import Refiner, RefinerConfig
from alpharefine.refined_tracker import RefinedTracker, RefinedTrackerConfig
from alpharefine.runtime import Runtime, resolve_runtime
from alpharefine.trackers.base import Tracker
from alpharefine.trackers.dimp.config import DimpConfig
from alpharefine.trackers.dimp.tracker import DimpTracker
from alpharefine.trackers.memory_guard import MemoryGuard, ResumableTracker
from alpharefine.weights import store
from alpharefine.weights.registry import WEIGHTS

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Refinement:
    """The Alpha-Refine part of a tracker.

    Attributes:
        network: name in `alpharefine.nets.refine.REFINE_NETWORKS`, also the kind of its weights.
        refiner: how crops are cut and answers read.
        coupling: how base tracker and refiner work together.
    """

    network: str
    refiner: RefinerConfig = field(default_factory=RefinerConfig)
    coupling: RefinedTrackerConfig = field(default_factory=RefinedTrackerConfig)


@dataclass(frozen=True)
class TrackerSpec:
    """A named tracker.

    Attributes:
        name: as users and the toolkit call it.
        network: name in `alpharefine.nets.dimp.NETWORKS`, also the kind of its weights.
        base: hyper-parameters of the base tracker.
        refinement: None for the base tracker alone.
    """

    name: str
    network: str
    base: DimpConfig
    refinement: Refinement | None

    @property
    def has_mask(self) -> bool:
        """Whether the tracker answers masks."""
        return self.refinement is not None

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of weights that it needs."""
        return (self.network, *([self.refinement.network] if self.refinement else []))


@dataclass(frozen=True)
class TrackerWeights:
    """The weights of a whole tracker.

    Attributes:
        name: names of the parts, joined by "+".
        sha256: of the file, or of the parts' sha256 where they are several.
        random: at least one part is untrained.
    """

    name: str
    sha256: str
    random: bool


_V20 = Refinement("ar_v20")
_C21 = Refinement(
    "ar_c21_r34",
    coupling=RefinedTrackerConfig(refine_around="base", feedback="refined_if_found"),
)
_LITE = DimpConfig(
    image_sample_size=288,
    search_area_scale=5.0,
    train_skipping=10,
    target_not_found_threshold=0.15,
)
# Alpha-Refine gives the size: the base tracker need not find it as well.
_REFINED_LITE = replace(_LITE, num_init_random_boxes=0, box_refinement_iter=0)
_AR_LITE = Refinement(
    "ar_lite",
    RefinerConfig(mask_threshold=0.35, least_fill=0.02),
    RefinedTrackerConfig(
        feedback="refined_if_found",
        feedback_rate=0.35,
        reference_interval=5,
        reference_share=0.35,
    ),
)

TRACKERS: Mapping[str, TrackerSpec] = {
    spec.name: spec
    for spec in (
        TrackerSpec("ARDiMP_lite", "dimp_lite", _REFINED_LITE, _AR_LITE),
        TrackerSpec("ARDiMP_v20", "super_dimp", DimpConfig(), _V20),
        TrackerSpec("ARDiMP_c21", "super_dimp", DimpConfig(), _C21),
        TrackerSpec("DiMPlite", "dimp_lite", _LITE, None),
        TrackerSpec("DiMPsuper", "super_dimp", DimpConfig(), None),
    )
}
"""Name -> tracker; the first one is the default."""

DEFAULT_TRACKER = next(iter(TRACKERS))


def find_tracker(name: str) -> TrackerSpec:
    """The named tracker.

    Raises:
        UsageError: there is none of this name.
    """
    if name not in TRACKERS:
        raise UsageError(f"unknown tracker {name!r}; choose one of {', '.join(TRACKERS)}")
    return TRACKERS[name]


def resolve_weights(name: str, weights: str | None = None) -> TrackerWeights:
    """Which weights a tracker would run with, without building it.

    Args:
        name: tracker.
        weights: as `build_tracker`.

    Raises:
        UsageError: unknown tracker or weights.
    """
    choices = _choices(find_tracker(name), weights).values()
    names, sha256 = store.summarize(choices)
    return TrackerWeights(names, sha256, any(choice.random for choice in choices))


def build_tracker(
    name: str, *, device: str = "auto", precision: str = "auto", weights: str | None = None
) -> ResumableTracker:
    """Build a named tracker with its weights loaded.

    Args:
        name: tracker.
        device: see `alpharefine.runtime.resolve_runtime`.
        precision: likewise.
        weights: see `alpharefine.weights.store.resolve_weights`; None takes those registered for
            the tracker's networks, or seeded random ones where they are not on this machine.

    Raises:
        UsageError: unknown tracker, weights, device or precision; weights for another network.
    """
    spec = find_tracker(name)
    choices = _choices(spec, weights)
    runtime = resolve_runtime(device, precision)
    _log.info("%s runs on %s in %s (%s)", name, runtime.device, runtime.precision, precision)
    network = build_dimp_network(spec.network)
    store.load_weights(network, choices[spec.network])
    base = DimpTracker(runtime.prepare(network), spec.base, runtime)
    if spec.refinement is None:
        return base
    refiner = _build_refiner(spec.refinement, choices[spec.refinement.network], runtime)
    return RefinedTracker(base, refiner, spec.refinement.coupling)


def build_guarded_tracker(
    name: str, *, device: str = "auto", precision: str = "auto", weights: str | None = None
) -> Tracker:
    """As `build_tracker`, but a run survives the end of its device's memory: see `MemoryGuard`.

    A run that has to move to the CPU goes on in the precision that "auto" means there.
    """
    runtime = resolve_runtime(device, precision)

    def build(place: str) -> ResumableTracker:
        kept = precision if place == str(runtime.device) else "auto"
        return build_tracker(name, device=place, precision=kept, weights=weights)

    if runtime.device.type == "cpu":
        return build_tracker(name, device=device, precision=precision, weights=weights)
    return MemoryGuard(build, str(runtime.device))


def refined(
    base: Tracker,
    *,
    network: str = "ar_lite",
    device: str = "auto",
    precision: str = "auto",
    weights: str | None = None,
) -> RefinedTracker:
    """Put Alpha-Refine behind a tracker of your own.

    Args:
        base: any tracker, see `alpharefine.trackers.base.Tracker`.
        network: name in `alpharefine.nets.refine.REFINE_NETWORKS`; it is coupled with `base` as in
            the catalogue's tracker with this network.
        device: see `alpharefine.runtime.resolve_runtime`.
        precision: likewise.
        weights: as of `build_tracker`, for the refinement network.

    Raises:
        UsageError: unknown network, weights, device or precision; weights for another network.
    """
    parts = [spec.refinement for spec in TRACKERS.values() if spec.refinement is not None]
    part = next((part for part in parts if part.network == network), Refinement(network))
    choices = store.resolve_weights(weights, {network: _default_weights(network)})
    runtime = resolve_runtime(device, precision)
    return RefinedTracker(base, _build_refiner(part, choices[network], runtime), part.coupling)


def load_refinement(name: str, weights: str | None = None) -> RefineNetwork:
    """The refinement network of a tracker as it was trained, on the CPU.

    Args:
        name: tracker.
        weights: as of `build_tracker`.

    Raises:
        UsageError: unknown tracker or weights, or the tracker has no refinement network.
    """
    spec = find_tracker(name)
    if spec.refinement is None:
        having = ", ".join(each.name for each in TRACKERS.values() if each.refinement)
        raise UsageError(f"{name} has no refinement network; choose one of {having}")
    kind = spec.refinement.network
    network = build_refine_network(kind)
    store.load_weights(network, _choices(spec, weights)[kind])
    return network


def _build_refiner(part: Refinement, choice: store.WeightsChoice, runtime: Runtime) -> Refiner:
    network = build_refine_network(part.network)
    store.load_weights(network, choice)
    return Refiner(runtime.prepare(network), runtime, part.refiner)


def _choices(spec: TrackerSpec, weights: str | None) -> dict[str, store.WeightsChoice]:
    defaults = {kind: _default_weights(kind) for kind in spec.kinds}
    return store.resolve_weights(weights, defaults)


def _default_weights(kind: str) -> str:
    """Registered weights of this kind that are on this machine, else random ones."""
    for spec in WEIGHTS.values():
        if kind in spec.kinds and store.find_weights(spec) is not None:
            return spec.name
    return store.RANDOM
