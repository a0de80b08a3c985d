"""From specifications to trackers with their weights loaded."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from alpharefine.catalogue import REFINEMENTS, TRACKERS, RefinementSpec, TrackerSpec, find_tracker
from alpharefine.errors import UsageError
from alpharefine.multi.config import MultiConfig
from alpharefine.multi.tracker import MultiObjectTracker
from alpharefine.nets.refine.network import RefineNetwork
from alpharefine.nets.registry import build_network, find_network
from alpharefine.refinement.refined_tracker import RefinedTracker
from alpharefine.refinement.refiner import Refiner
from alpharefine.runtime import Runtime, resolve_runtime
from alpharefine.trackers.memory_guard import MemoryGuard
from alpharefine.types import Tracker
from alpharefine.weights import store

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrackerWeights:
    """The weights of a whole tracker.

    Attributes:
        name: names of the parts, joined by "+"; "none" where nothing is learned beforehand.
        sha256: of the file, or of the parts' sha256 where they are several.
        random: at least one part is untrained.
    """

    name: str
    sha256: str
    random: bool


def tracker_weights(tracker: str | TrackerSpec, weights: str | None = None) -> TrackerWeights:
    """Which weights a tracker would run with, without building it.

    Args:
        tracker: name or specification.
        weights: as of `build_tracker`.

    Raises:
        UsageError: unknown tracker or weights.
    """
    choices = _choose_weights(_spec(tracker), weights).values()
    names, sha256 = store.name_and_hash(choices)
    return TrackerWeights(names or "none", sha256, any(choice.random for choice in choices))


def has_random_weights(tracker: str | TrackerSpec, weights: str | None = None) -> bool:
    """Whether at least one part of a tracker would run untrained; no network is built for it.

    Args:
        tracker: name or specification.
        weights: as of `build_tracker`.

    Raises:
        UsageError: unknown tracker or weights.
    """
    return any(choice.random for choice in _choose_weights(_spec(tracker), weights).values())


def build_tracker(
    tracker: str | TrackerSpec,
    *,
    device: str = "auto",
    precision: str = "auto",
    weights: str | None = None,
) -> Tracker:
    """Build a tracker with its weights loaded.

    Args:
        tracker: name (see `alpharefine.catalogue.find_tracker`) or specification.
        device: see `alpharefine.runtime.resolve_runtime`.
        precision: of the networks, see `alpharefine.runtime.resolve_runtime`.
        weights: see `alpharefine.weights.store.resolve_weights`; None takes those registered for
            the tracker's networks, or seeded random ones where they are not on this machine.

    Raises:
        UsageError: unknown tracker, weights, device or precision; weights for another network.
    """
    return tracker_maker(tracker, device=device, precision=precision, weights=weights)()


def tracker_maker(
    tracker: str | TrackerSpec,
    *,
    device: str = "auto",
    precision: str = "auto",
    weights: str | None = None,
) -> Callable[[], Tracker]:
    """A function that makes trackers of one kind, which share their networks.

    Arguments and errors as of `build_tracker`.
    """
    spec = _spec(tracker)
    choices = _choose_weights(spec, weights)
    runtime = resolve_runtime(device, precision)
    _log.info("%s runs on %s in %s (%s)", spec.name, runtime.device, runtime.precision, precision)
    network = build_network(spec.network)
    if spec.network in choices:
        store.load_weights(network, choices[spec.network])
    prepared, input_spec = runtime.prepare(network), find_network(spec.network).input
    part = spec.refinement
    if part is None:
        return lambda: spec.config.build(prepared, runtime, input_spec)
    refine_network = _prepare_refine_network(part, choices, runtime)

    def make() -> Tracker:
        base = spec.config.build(prepared, runtime, input_spec)
        return RefinedTracker(base, _refiner(part, refine_network, runtime), part.coupling)

    return make


def build_multi_tracker(
    tracker: str | TrackerSpec,
    *,
    device: str = "auto",
    precision: str = "auto",
    weights: str | None = None,
    config: MultiConfig = MultiConfig(),
) -> MultiObjectTracker:
    """Build a tracker of several objects, which share what they can; see `MultiObjectTracker`.

    Args:
        tracker: name or specification of what follows each of them.
        device: as of `build_tracker`.
        precision: as of `build_tracker`.
        weights: as of `build_tracker`.
        config: what is shared, and whether the tracker says that a target is absent.

    Raises:
        UsageError: as `build_tracker`.
    """
    make = tracker_maker(tracker, device=device, precision=precision, weights=weights)
    return MultiObjectTracker(make, config)


def build_guarded_tracker(
    tracker: str | TrackerSpec,
    *,
    device: str = "auto",
    precision: str = "auto",
    weights: str | None = None,
) -> Tracker:
    """As `build_tracker`, but a run survives the end of its device's memory: see `MemoryGuard`.

    A run that has to move to the CPU goes on in the precision that "auto" means there. Trackers
    whose runs cannot be taken up again (`ResumableTracker`) are built without a guard.
    """
    runtime = resolve_runtime(device, precision)

    def build(place: str) -> Tracker:
        kept = precision if place == str(runtime.device) else "auto"
        return build_tracker(tracker, device=place, precision=kept, weights=weights)

    if runtime.device.type == "cpu":
        return build_tracker(tracker, device=device, precision=precision, weights=weights)
    return MemoryGuard(build, str(runtime.device))


def refined(
    base: Tracker,
    network: str = "ar_lite",
    *,
    device: str = "auto",
    precision: str = "auto",
    weights: str | None = None,
) -> RefinedTracker:
    """Put Alpha-Refine behind a tracker of your own.

    Args:
        base: any tracker, see `alpharefine.Tracker`.
        network: name in `alpharefine.catalogue.REFINEMENTS`, which also says how it is coupled
            with `base`.
        device: see `alpharefine.runtime.resolve_runtime`.
        precision: of the network, see `alpharefine.runtime.resolve_runtime`.
        weights: as of `build_tracker`, for the refinement network.

    Raises:
        UsageError: unknown network, weights, device or precision; weights for another network.
    """
    refiner = build_refiner(network, device=device, precision=precision, weights=weights)
    return RefinedTracker(base, refiner, REFINEMENTS[network].coupling)


def build_refiner(
    network: str = "ar_lite",
    *,
    device: str = "auto",
    precision: str = "auto",
    weights: str | None = None,
) -> Refiner:
    """Alpha-Refine alone, with its weights loaded.

    Args:
        network: name in `alpharefine.catalogue.REFINEMENTS`.
        device: see `alpharefine.runtime.resolve_runtime`.
        precision: of the network, see `alpharefine.runtime.resolve_runtime`.
        weights: as of `build_tracker`, for this network.

    Raises:
        UsageError: unknown network, weights, device or precision; weights for another network.
    """
    if network not in REFINEMENTS:
        raise UsageError(
            f"unknown refinement network {network!r}; choose one of {', '.join(REFINEMENTS)}"
        )
    choices = store.resolve_weights(weights, {network: store.default_weights(network)})
    part, runtime = REFINEMENTS[network], resolve_runtime(device, precision)
    return _refiner(part, _prepare_refine_network(part, choices, runtime), runtime)


def load_refinement(tracker: str | TrackerSpec, weights: str | None = None) -> RefineNetwork:
    """The refinement network of a tracker as it was trained, on the CPU.

    Args:
        tracker: name or specification.
        weights: as of `build_tracker`.

    Raises:
        UsageError: unknown tracker or weights, or the tracker has no refinement network.
    """
    spec = _spec(tracker)
    if spec.refinement is None:
        having = ", ".join(each.name for each in TRACKERS.values() if each.refinement)
        raise UsageError(f"{spec.name} has no refinement network; choose one of {having}")
    name = spec.refinement.network
    return _load_refine_network(name, _choose_weights(spec, weights))


def _spec(tracker: str | TrackerSpec) -> TrackerSpec:
    return find_tracker(tracker) if isinstance(tracker, str) else tracker


def _prepare_refine_network(
    part: RefinementSpec, choices: Mapping[str, store.WeightsChoice], runtime: Runtime
) -> RefineNetwork:
    return runtime.prepare(_load_refine_network(part.network, choices))


def _refiner(part: RefinementSpec, network: RefineNetwork, runtime: Runtime) -> Refiner:
    return Refiner(network, runtime, part.refiner, find_network(part.network).input)


def _load_refine_network(name: str, choices: Mapping[str, store.WeightsChoice]) -> RefineNetwork:
    network = build_network(name)
    assert isinstance(network, RefineNetwork)
    store.load_weights(network, choices[name])
    return network


def _choose_weights(spec: TrackerSpec, weights: str | None) -> dict[str, store.WeightsChoice]:
    defaults = {name: store.default_weights(name) for name in spec.networks}
    return store.resolve_weights(weights, defaults)
