"""The machines of a Ray cluster, and whether they fit together."""

import secrets
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

import alpharefine
from alpharefine.errors import UsageError

_TIMEOUT_SECONDS = 60.0
_PACKAGES = ("vot-toolkit", "vot-trax", "torch", "numpy", "opencv-python")


@dataclass(frozen=True)
class Node:
    """A machine: Ray's identifier, its name, and the cores and GPUs that Ray manages on it."""

    identifier: str
    name: str
    cores: float
    gpus: float


def find_nodes() -> tuple[Node, ...]:
    """The machines of the cluster that are alive."""
    return tuple(
        Node(
            entry["NodeID"],
            entry["NodeManagerHostname"],
            entry["Resources"].get("CPU", 0.0),
            entry["Resources"].get("GPU", 0.0),
        )
        for entry in ray.nodes()
        if entry["Alive"]
    )


def check_nodes(nodes: Sequence[Node]) -> None:
    """Compare the machines' versions with this one's.

    Raises:
        UsageError: a machine does not answer, or has other versions, which might change results.
    """
    own = describe()
    for node, versions in _ask(nodes, _describe).items():
        differing = [name for name in own if versions[name] != own[name]]
        if differing:
            found = "; ".join(f"{name} {versions[name]}, not {own[name]}" for name in differing)
            raise UsageError(
                f"node {node.name} of the cluster has {found}: install the same versions"
            )


def see_folder(nodes: Sequence[Node], folder: Path) -> bool:
    """Whether all machines see what is in a folder of this one.

    Raises:
        UsageError: a machine does not answer.
    """
    token = secrets.token_hex(16)
    with tempfile.NamedTemporaryFile(prefix=".arvot-", dir=folder) as file:
        file.write(token.encode())
        file.flush()
        return all(seen == token for seen in _ask(nodes, _read, file.name).values())


def describe() -> dict[str, str]:
    """Versions of what results depend on."""
    versions = {name: metadata.version(name) for name in _PACKAGES}
    return {"arvot": alpharefine.__version__, **versions}


def _ask(nodes: Sequence[Node], task: Any, *arguments: str) -> dict[Node, Any]:
    """Answers of all machines to a task."""
    questions = {}
    for node in nodes:
        place = NodeAffinitySchedulingStrategy(node.identifier, soft=False)
        questions[node] = task.options(num_cpus=0, scheduling_strategy=place).remote(*arguments)
    return {node: _answer(node, question) for node, question in questions.items()}


def _answer(node: Node, question: Any) -> Any:
    try:
        return ray.get(question, timeout=_TIMEOUT_SECONDS)
    except ray.exceptions.RayError as error:
        message = " ".join(str(error).split())[-300:]
        raise UsageError(f"node {node.name} of the cluster cannot run arvot: {message}") from error


@ray.remote
def _describe() -> dict[str, str]:
    return describe()


@ray.remote
def _read(name: str) -> str | None:
    file = Path(name)
    return file.read_text() if file.is_file() else None
