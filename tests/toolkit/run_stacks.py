"""`python -m tests.toolkit.run_stacks FOLDER SEQUENCES STACK...`: run and score stacks.

For two environments with different toolkits, whose results are then compared.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from tests.toolkit.make import make_workspace
from vot_integration.evaluation.evaluate import analyze, evaluate, pack
from vot_integration.toolkit.stacks import load_stack

TRACKERS = ("oracle", "wanders")


def main(arguments: Sequence[str]) -> None:
    """A workspace a stack, with the results, the scores and the archive of each tracker."""
    folder, sequences, *stacks = arguments
    for name in stacks:
        stack = load_stack(name)
        interval = (2, 8) if stack.find_interval() is not None else None
        place = Path(folder) / name.replace("/", "-")
        workspace = make_workspace(
            place, Path(sequences), tuple(stack.experiments), interval, stack=name
        )
        for tracker in TRACKERS:
            evaluate(workspace, tracker, lambda progress: None)
            analyze(workspace, tracker)
        pack(workspace, TRACKERS[0])


if __name__ == "__main__":
    main(sys.argv[1:])
