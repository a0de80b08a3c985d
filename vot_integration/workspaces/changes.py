"""What becomes of a workspace's manifest when it gets another stack, or further trackers."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from alpharefine.errors import UsageError
from vot_integration.toolkit.stacks import Stack
from vot_integration.workspaces.manifest import Manifest
from vot_integration.workspaces.records import TrackerRecord
from vot_integration.workspaces.trackers_ini import registrations


def restack(folder: Path, manifest: Manifest, stack: Stack) -> Manifest:
    """The manifest with another stack, if no results contradict it.

    Raises:
        UsageError: results of an experiment are there that the stack defines otherwise or lacks.
    """
    wanted = protocols(stack)
    fitting = {
        name: definition
        for name, definition in manifest.experiments.items()
        if wanted.get(name) == definition
    }
    for name in manifest.experiments:
        if name not in fitting and any((folder / "results").glob(f"*/{name}/*/*")):
            now = "now " if stack.name == manifest.stack.name else ""
            contradiction = "defines otherwise" if name in wanted else "does not have"
            raise UsageError(
                f"{folder} holds results of {name} of stack {manifest.stack.name}, which stack "
                f"{stack.name} {now}{contradiction}: make another workspace for it, "
                f"`arvot init DIR --stack {stack.name}`"
            )
    return replace(manifest, stack=stack, experiments=fitting)


def extend(
    folder: Path, manifest: Manifest, stack: Stack, records: Mapping[str, TrackerRecord]
) -> Manifest:
    """The manifest with further experiments and trackers, if no results contradict them.

    Raises:
        UsageError: results of a tracker were made otherwise.
    """
    trackers = dict(manifest.trackers)
    for tracker, record in records.items():
        recorded, are_there = trackers.get(tracker), has_results(folder, tracker)
        if recorded is not None and recorded != record and are_there:
            raise UsageError(
                f"{folder} holds results of {tracker} made with {recorded}, "
                f"not {record}; name another workspace or delete it"
            )
        foreign = are_there and (recorded is None or recorded.foreign)
        trackers[tracker] = replace(record, foreign=foreign)
    experiments = {**manifest.experiments, **protocols(stack)}
    return replace(manifest, experiments=experiments, trackers=trackers)


def protocols(stack: Stack) -> dict[str, Any]:
    """What the results of each experiment depend on: all of its definition but the analyses."""
    return {
        name: {key: value for key, value in body.items() if key != "analyses"}
        for name, body in stack.experiments.items()
    }


def has_results(folder: Path, tracker: str) -> bool:
    """Whether results of a tracker of the catalog, in any form, or of one's own are there."""
    names = [entry.name for entry in registrations().values() if entry.tracker == tracker]
    return any(
        file for name in names or [tracker] for file in (folder / "results").glob(f"{name}/*/*/*")
    )
