"""Weights files of training runs: which network they are for, and reading one back."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from torch import nn

from alpharefine.errors import UsageError
from alpharefine.nets.dimp import NETWORKS, DimpNetConfig
from alpharefine.nets.refine import (
    REFINE_NETWORKS,
    RefineNetConfig,
    RefineNetwork,
    build_refine_network,
    refine_net_config,
)
from alpharefine.training.config import NONE, parse_config
from alpharefine.training.engine import Export
from alpharefine.training.metrics import Row
from alpharefine.weights.entries import check_entries, check_finite
from alpharefine.weights.files import SUFFIX, WeightsFile, open_weights
from alpharefine.weights.registry import WEIGHTS
from alpharefine.weights.store import load_weights, resolve_weights

UNNAMED_REFINE, UNNAMED_BASE = "refine", "base"
"""Kinds of weights for networks that are in no table: the file itself says how they are built."""

_NETWORK = "network"


def export_kind(config: RefineNetConfig | DimpNetConfig) -> str:
    """The kind of weights of a network: its name in the tables, or one of the unnamed kinds."""
    table: Mapping[str, object]
    if isinstance(config, RefineNetConfig):
        table, unnamed = REFINE_NETWORKS, UNNAMED_REFINE
    else:
        table, unnamed = NETWORKS, UNNAMED_BASE
    return next((name for name, known in table.items() if known == config), unnamed)


def export_network(config: RefineNetConfig | DimpNetConfig, network: nn.Module, row: Row) -> Export:
    """Weights for a file that says how their network is built, and the metrics of their epoch.

    Args:
        config: what `network` was built from.
        network: trained.
        row: metrics by name.
    """
    metrics = {name: round(value, 5) for name, value in row.items()}
    facts = {_NETWORK: json.dumps(asdict(config)), "metrics": json.dumps(metrics)}
    return Export(export_kind(config), network.state_dict(), facts)


def load_refine_network(weights: str | None, kind: str | None = None) -> RefineNetwork:
    """A refinement network with its weights, on the CPU.

    Args:
        weights: as `alpharefine.weights.store.resolve_weights`, or the export of a run with a
            network of any configuration; None takes those registered for `kind`.
        kind: name in `REFINE_NETWORKS`; None takes what the file holds, else "ar_lite".

    Raises:
        UsageError: unknown kind or weights, weights that are not on this machine or for something
            else, or a file with several refinement networks of which none is named.
    """
    if kind is not None:
        refine_net_config(kind)
    if weights is not None and Path(weights).suffix == SUFFIX:
        return _load_file(open_weights(Path(weights)), kind)
    kind = kind or "ar_lite"
    registered = next(spec.name for spec in WEIGHTS.values() if kind in spec.kinds)
    network = build_refine_network(kind)
    load_weights(network, resolve_weights(weights, {kind: registered})[kind])
    return network


def _load_file(file: WeightsFile, kind: str | None) -> RefineNetwork:
    held = [part for part in file.parts if part in REFINE_NETWORKS or part == UNNAMED_REFINE]
    chosen = [part for part in held if kind in (None, part)]
    if len(chosen) != 1:
        wanted = "one refinement network" if kind is None else kind
        raise UsageError(f"{file.path}: holds {', '.join(file.parts)}; needed is {wanted}")
    (part,) = chosen
    network = build_refine_network(_config(file, part))
    state = file.read(part)
    check_entries(state, network.state_dict(), file.path, part)
    check_finite(state, file.path)
    network.load_state_dict(state)
    return network


def _config(file: WeightsFile, part: str) -> RefineNetConfig:
    if part in REFINE_NETWORKS:
        return refine_net_config(part)
    try:
        values = json.loads(file.parts[part][_NETWORK])
    except (KeyError, ValueError) as error:
        raise UsageError(f"{file.path}: does not say how its network is built") from error
    plain = {key: NONE if value is None else value for key, value in values.items()}
    return parse_config(plain, RefineNetConfig, str(file.path))
