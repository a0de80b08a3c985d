"""Weights files of training runs: which network they are for, and reading one back."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

from torch import nn

from alpharefine.errors import UsageError
from alpharefine.nets.atom.config import AtomNetConfig
from alpharefine.nets.dimp.config import DimpNetConfig
from alpharefine.nets.mdnet.config import MdNetConfig
from alpharefine.nets.refine.config import RefineNetConfig
from alpharefine.nets.refine.network import RefineNetwork
from alpharefine.nets.registry import NETWORKS, WEIGHTS, networks_with
from alpharefine.nets.siamfc.config import SiamFcNetConfig
from alpharefine.nets.siamrpn.config import DepthwiseRpnConfig, UpChannelRpnConfig
from alpharefine.nets.spec import SUFFIX, NetworkConfig, rename_entry
from alpharefine.training.config import NONE, parse_config
from alpharefine.training.interface import Export
from alpharefine.training.metrics import Row
from alpharefine.weights.entries import check_entries, check_finite
from alpharefine.weights.files import WeightsFile, open_weights
from alpharefine.weights.store import find_weights, load_weights, resolve_weights

UNNAMED_REFINE = "refine"
_UNNAMED: Mapping[type[NetworkConfig], str] = {
    RefineNetConfig: UNNAMED_REFINE,
    DimpNetConfig: "base",
    SiamFcNetConfig: "siamfc",
    UpChannelRpnConfig: "siamrpn",
    DepthwiseRpnConfig: "siamrpn",
    MdNetConfig: "rtmdnet",
    AtomNetConfig: "atom",
}
"""Names of networks that are not registered: the file itself says how they are built."""

_NETWORK = "network"


def exported_name(config: NetworkConfig) -> str:
    """The name under which a network's weights are exported: its registered one, or an unnamed."""
    registered = (name for name, spec in NETWORKS.items() if spec.config == config)
    return next(registered, _UNNAMED[type(config)])


def export_network(config: NetworkConfig, network: nn.Module, row: Row) -> Export:
    """Weights for a file that says how their network is built, and the metrics of their epoch.

    Args:
        config: what `network` was built from.
        network: trained.
        row: metrics by name.
    """
    metrics = {name: round(value, 5) for name, value in row.items()}
    facts = {_NETWORK: json.dumps(asdict(cast(Any, config))), "metrics": json.dumps(metrics)}
    return Export(exported_name(config), network.state_dict(), facts)


def open_initial(initial: str) -> WeightsFile:
    """The file of weights to begin with.

    Args:
        initial: registered weights on this machine, or the export of an earlier run.

    Raises:
        UsageError: there is none, or it is no weights file.
    """
    spec = WEIGHTS.get(initial)
    found = None if spec is None else find_weights(spec)
    return open_weights(Path(initial) if found is None else found)


def begin_with(network: nn.Module, config: NetworkConfig, initial: str) -> None:
    """Fill a network with weights: all of them where it is the same network, else the backbone's.

    Args:
        network: to train; has a part `backbone`.
        config: what it was built from.
        initial: registered weights on this machine, or the export of an earlier run.

    Raises:
        UsageError: neither, or its backbone is another.
    """
    file = open_initial(initial)
    name = exported_name(config)
    lender = None if name not in NETWORKS else NETWORKS[name].backbone_of
    part = next((each for each in (name, lender) if each in file.parts), None)
    weights = file.read(part or next(iter(file.parts)))
    weights = {rename_entry(key, config.renames): value for key, value in weights.items()}
    wanted = {key: value.shape for key, value in network.state_dict().items()}
    if wanted == {key: value.shape for key, value in weights.items()}:
        network.load_state_dict(weights)
        return
    prefix = "backbone."
    parts = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
    try:
        network.get_submodule("backbone").load_state_dict(parts)
    except RuntimeError as error:
        raise UsageError(
            f"{initial}: its backbone is not the one of this recipe; give an export of the same"
        ) from error


def load_refine_network(weights: str | None, name: str | None = None) -> RefineNetwork:
    """A refinement network with its weights, on the CPU.

    Args:
        weights: as `alpharefine.weights.store.resolve_weights`, or the export of a run with a
            network of any configuration; None takes those registered for `name`.
        name: of a registered refinement network; None takes what the file holds, else "ar_lite".

    Raises:
        UsageError: unknown name or weights, weights that are not on this machine or for something
            else, or a file with several refinement networks of which none is named.
    """
    known = networks_with(RefineNetConfig)
    if name is not None and name not in known:
        raise UsageError(f"unknown refinement network {name!r}; choose one of {', '.join(known)}")
    if weights is not None and Path(weights).suffix == SUFFIX:
        return _load_file(open_weights(Path(weights)), name)
    name = name or "ar_lite"
    network = known[name].build()
    load_weights(network, resolve_weights(weights, {name: NETWORKS[name].weights[0].name})[name])
    return network


def _load_file(file: WeightsFile, name: str | None) -> RefineNetwork:
    known = networks_with(RefineNetConfig)
    held = [part for part in file.parts if part in known or part == UNNAMED_REFINE]
    chosen = [part for part in held if name in (None, part)]
    if len(chosen) != 1:
        wanted = "one refinement network" if name is None else name
        raise UsageError(f"{file.path}: holds {', '.join(file.parts)}; needed is {wanted}")
    (part,) = chosen
    config = known[part] if part in known else _stored_config(file, part)
    network = config.build()
    state = {
        rename_entry(entry, config.renames): tensor for entry, tensor in file.read(part).items()
    }
    check_entries(state, network.state_dict(), file.path, part)
    check_finite(state, file.path)
    network.load_state_dict(state)
    return network


def _stored_config(file: WeightsFile, part: str) -> RefineNetConfig:
    try:
        values = json.loads(file.parts[part][_NETWORK])
    except (KeyError, ValueError) as error:
        raise UsageError(f"{file.path}: does not say how its network is built") from error
    plain = {key: NONE if value is None else value for key, value in values.items()}
    return parse_config(plain, RefineNetConfig, str(file.path))
