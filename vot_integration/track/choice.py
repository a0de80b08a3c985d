"""Which tracker follows the target: one of the catalog, or one of the user's own."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from vot_integration.files import absolute, write_text
from vot_integration.regions.answers import Output
from vot_integration.track.follower import CatalogFollower, Follower
from vot_integration.track.group import Group, OneEach, Together
from vot_integration.workspaces.launch import Launch, launch_of
from vot_integration.workspaces.own_trackers import Section, adopt_trackers, read_own_trackers
from vot_integration.workspaces.records import check_own_settings, check_tracker
from vot_integration.workspaces.trackers_ini import (
    TRACKERS_FILE,
    Registration,
    TrackerSettings,
    registrations,
    workspace_ini,
)


@dataclass(frozen=True)
class Choice:
    """A tracker as the user names it.

    Attributes:
        tracker: registered name.
        settings: how it is to run; None is the default.
        workspace: folder whose trackers.ini registers own trackers; need not be there.
        trackers: .ini file that registers own trackers, besides those of the workspace.
    """

    tracker: str
    settings: TrackerSettings
    workspace: Path
    trackers: Path | None = None


@dataclass(frozen=True)
class Chosen:
    """A tracker that is known, not yet built.

    Attributes:
        build: makes it, for one target.
        answers_masks: whether masks can be saved of it.
        has_random_weights: whether its weights are random, not trained.
        build_together: makes one tracker of all targets; None for one each.
        section: how a tracker of the user's own is registered; None for one of the catalog.
    """

    build: Callable[[], Follower]
    answers_masks: bool
    has_random_weights: bool
    build_together: Callable[[], Group] | None = None
    section: Launch | None = None

    def build_group(self, targets: int) -> Group:
        """What follows a number of targets."""
        if self.build_together is not None:
            return self.build_together()
        return OneEach([self.build() for _ in range(targets)])


def choose_follower(choice: Choice) -> Chosen:
    """Find a tracker.

    Raises:
        UsageError: there is none of this name, or a setting is not for it.
    """
    workspace = absolute(choice.workspace)
    given = adopt_trackers(choice.trackers) if choice.trackers is not None else {}
    check_tracker(choice.tracker, {**read_own_trackers(workspace / TRACKERS_FILE), **given})
    registration = registrations().get(choice.tracker)
    if registration is not None:
        return _from_catalog(registration, choice.settings)
    check_own_settings(choice.tracker, choice.settings)
    own = given if choice.tracker in given else {}
    section = {**read_own_trackers(workspace / TRACKERS_FILE), **own}[choice.tracker]
    return Chosen(
        partial(_start_own, choice.tracker, workspace, own),
        True,
        False,
        section=launch_of(workspace / TRACKERS_FILE, choice.tracker, section),
    )


def _from_catalog(registration: Registration, settings: TrackerSettings) -> Chosen:
    from alpharefine.build import build_multi_tracker, build_tracker, has_random_weights
    from alpharefine.multi.config import multi_config
    from alpharefine.overrides import configured

    spec = configured(
        registration.tracker, None if settings.config is None else Path(settings.config)
    )
    output, weights = registration.output, settings.weights
    device, precision = settings.device or "auto", settings.precision or "auto"

    def build() -> Follower:
        tracker = build_tracker(spec, device=device, precision=precision, weights=weights)
        return CatalogFollower(tracker, output)

    def build_together() -> Group:
        config = multi_config(registration.tracker, presence=True)
        tracker = build_multi_tracker(
            spec, device=device, precision=precision, weights=weights, config=config
        )
        return Together(tracker, output)

    is_random = has_random_weights(spec, weights)
    together = build_together if registration.several else None
    return Chosen(build, output is Output.MASK, is_random, together)


def _start_own(name: str, workspace: Path, given: Mapping[str, Section]) -> Follower:
    from vot_integration.track.own_tracker import OwnFollower

    if not given:
        return OwnFollower(workspace / TRACKERS_FILE, name)
    with tempfile.TemporaryDirectory(prefix="arvot-") as folder:
        registry = Path(folder) / TRACKERS_FILE
        write_text(registry, workspace_ini(workspace, {}, given))
        return OwnFollower(registry, name)
