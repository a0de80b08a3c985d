from dataclasses import replace
from typing import cast

import pytest

from alpharefine.build import build_tracker
from alpharefine.catalogue import (
    DEFAULT_TRACKER,
    REFINEMENTS,
    TRACKERS,
    TrackerConfig,
    TrackerSpec,
    find_tracker,
    list_trackers,
    refine,
)
from alpharefine.errors import UsageError
from alpharefine.refinement.refined_tracker import RefinedTracker
from alpharefine.trackers.atom.config import AtomConfig
from alpharefine.trackers.dimp.config import DimpConfig
from alpharefine.trackers.dimp.tracker import DimpTracker
from alpharefine.trackers.eco.config import EcoConfig
from alpharefine.trackers.rtmdnet.config import RtMdNetConfig
from tests.trackers.contract import TrackerContract, run

SLOW_NETWORKS = {"super_dimp", "dimp50", "siamrpnpp", "siamrpn_res22_thicker"}


def quick(spec: TrackerSpec) -> TrackerSpec:
    """The tracker with smaller crops and fewer steps, where the catalogue's take long."""
    config: TrackerConfig = spec.config
    match spec.network, config:
        case (("dimp50" | "dimp18"), DimpConfig()):
            config = replace(config, image_sample_size=144)
        case _, AtomConfig():
            config = replace(
                config,
                image_sample_size=160,
                augmentation=replace(config.augmentation, rotations=(5,), blur_sigmas=((2, 0.2),)),
                initial_steps=2,
            )
        case _, EcoConfig():
            config = replace(
                config,
                sample_sizes=(100, 120),
                augmentation=replace(config.augmentation, rotations=(5,), blur_sigmas=((2, 0.2),)),
                initial_steps=2,
                initial_descents=3,
            )
        case _, RtMdNetConfig():
            config = replace(
                config,
                scene=replace(config.scene, object_size=90, largest=220),
                extra=replace(config.extra, scales=(), count=2),
                positive=replace(config.positive, count=40),
                negative=replace(config.negative, count=100, shift=0.5, scale=1.2),
                regression=replace(config.regression, count=40),
                initial=replace(config.initial, iterations=3),
                search=replace(config.search, count=64),
                update=replace(config.update, iterations=1),
            )
    return replace(spec, config=config)


for _spec in TRACKERS.values():
    _settings: dict[str, object] = {"tracked_by": quick(_spec)}
    # Bases are tried with all of them, and the default refined.
    if _spec.network in SLOW_NETWORKS or (_spec.refinement and _spec.name != DEFAULT_TRACKER):
        _settings["odd_targets"] = ("one pixel", "larger than the frame")
    if _spec.refinement and _spec.network in SLOW_NETWORKS:
        # Minutes each; the base and the refinement are tried apart as well.
        _settings["pytestmark"] = [pytest.mark.soak]
    globals()[f"Test{_spec.name}"] = type(f"Test{_spec.name}", (TrackerContract,), _settings)


def test_the_default_is_the_first() -> None:
    assert list_trackers()[0] == DEFAULT_TRACKER == "ARDiMP_lite"


@pytest.mark.parametrize(
    ("alias", "pair"),
    [
        ("ARDiMP_lite", "DiMPlite+ar_lite"),
        ("ARDiMP_v20", "DiMPsuper+ar_v20"),
        ("ARDiMP_c21", "DiMPsuper+ar_c21_r34"),
        ("ARDiMP50", "DiMP50+ar_c21_r34"),
        ("ARATOM", "ATOM+ar_c21_r34"),
        ("ARECO", "ECO+ar_c21_r34"),
        ("ARRTMDNet", "RTMDNet+ar_c21_r34"),
        ("ARSiamRPN_lite", "SiamRPN_lite+ar_lite"),
        ("ARATOM_lite", "ATOM_lite+ar_lite"),
        ("ARECO_lite", "ECO_lite+ar_lite"),
        ("ARECO_hc", "ECO_hc+ar_lite"),
        ("ARRTMDNet_lite", "RTMDNet_lite+ar_lite"),
        ("ARSiamRPNpp", "SiamRPNpp+ar_c21_r34"),
        ("ARTaSiamRPNpp", "TaSiamRPNpp+ar_c21_r34"),
        ("ARSiamFCRes22", "SiamFCRes22+ar_c21_r34"),
        ("ARSiamRPNRes22", "SiamRPNRes22+ar_c21_r34"),
    ],
)
def test_named_trackers_are_pairs(alias: str, pair: str) -> None:
    assert replace(find_tracker(pair), name=alias) == find_tracker(alias)
    assert find_tracker(pair).name == pair


def test_any_base_tracker_with_any_refinement_is_built() -> None:
    for base in ("DiMPlite", "DiMPsuper"):
        for refinement in REFINEMENTS:
            spec = find_tracker(f"{base}+{refinement}")
            assert spec.networks == (find_tracker(base).network, refinement)
    tracker = build_tracker("DiMPlite+ar_c21_r18", device="cpu")
    assert isinstance(tracker, RefinedTracker)
    assert run(tracker, 1)[0].mask is not None


def test_a_changed_specification_is_built() -> None:
    spec = find_tracker("DiMPlite")
    config = cast(DimpConfig, spec.config)
    changed = replace(spec, config=replace(config, image_sample_size=160))
    tracker = build_tracker(changed, device="cpu", weights="random:1")
    assert isinstance(tracker, DimpTracker) and tracker.config.image_sample_size == 160
    assert refine(changed, REFINEMENTS["ar_lite"]).name == "DiMPlite+ar_lite"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("NoSuch", "unknown tracker 'NoSuch'; choose one of ARDiMP_lite, "),
        ("NoSuch+ar_lite", "unknown base tracker 'NoSuch'"),
        ("ARDiMP_lite+ar_lite", "unknown base tracker 'ARDiMP_lite'"),
        ("DiMPlite+NoSuch", "unknown refinement 'NoSuch'"),
        ("DiMPlite+", "unknown refinement ''"),
    ],
)
def test_unknown_names(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        find_tracker(name)
