"""Files in the authors' format, and the small network that most tests use instead of a real one.

The classes that a real file names exist only while one is written.
"""

import contextlib
import sys
import types
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

AUTHORS_CLASSES = (
    "ltr.admin.model_constructor.NetConstructor",
    "ltr.admin.settings.Settings",
    "ltr.admin.local.EnvironmentSettings",
    "ltr.admin.stats.AverageMeter",
    "ltr.admin.stats.StatValue",
)


@contextlib.contextmanager
def authors_package(package: str = "ltr") -> Iterator[Callable[..., object]]:
    """Registers the authors' classes; gives a function that makes an object of one of them."""
    classes = {}
    with contextlib.ExitStack() as stack:
        for dotted in AUTHORS_CLASSES:
            module, name = dotted.replace("ltr", package, 1).rsplit(".", 1)
            parts = module.split(".")
            for i in range(len(parts)):
                parent = ".".join(parts[: i + 1])
                if parent not in sys.modules:
                    sys.modules[parent] = types.ModuleType(parent)
                    stack.callback(sys.modules.pop, parent)
            classes[name] = type(name, (), {"__module__": module})
            setattr(sys.modules[module], name, classes[name])

        def make(name: str, **attributes: object) -> object:
            instance = classes[name]()
            instance.__dict__.update(attributes)
            return instance

        yield make


def official_checkpoint(
    net: Mapping[str, Tensor], make: Callable[..., object]
) -> dict[str, object]:
    """Everything that the authors' trainer stores."""
    weights = [t for t in net.values() if t.is_floating_point()][:2]
    adam = {
        i: {"step": 7, "exp_avg": torch.ones_like(t), "exp_avg_sq": torch.ones_like(t)}
        for i, t in enumerate(weights)
    }
    meter = make("AverageMeter", val=np.float64(0.5), avg=0.25, sum=torch.tensor(2.0), count=3)
    stats = OrderedDict(train=OrderedDict(loss=meter, rate=make("StatValue", history=[1e-3])))
    env = make("EnvironmentSettings", workspace_dir="/somewhere", got10k_dir="")
    return {
        "epoch": 40,
        "actor_type": "Actor",
        "net_type": "DiMPnet",
        "net": OrderedDict(net),
        "net_info": None,
        "constructor": make(
            "NetConstructor",
            fun_name="dimpnet50",
            fun_module="ltr.models.tracking.dimpnet",
            args=(),
            kwds={"filter_size": 4, "frozen_backbone_layers": ["conv1", "bn1"]},
        ),
        "optimizer": {"state": adam, "param_groups": [{"lr": 1e-3, "params": [0, 1]}]},
        "stats": stats,
        "settings": make(
            "Settings", env=env, use_gpu=True, device=torch.device("cpu"), area=(5.0, 6.0)
        ),
    }


def write_official(
    path: Path, net: Mapping[str, Tensor], *, zipped: bool = False, package: str = "ltr"
) -> Path:
    """Write a checkpoint as the authors' trainer does (PyTorch 1.2: the old stream)."""
    with authors_package(package) as make:
        content = official_checkpoint(net, make)
        torch.save(content, path, _use_new_zipfile_serialization=zipped)
    return path


@dataclass(frozen=True)
class TinyConfig:
    """Of a `TinyNetwork`."""

    @property
    def renames(self) -> Mapping[str, str]:
        return {}

    def build(self) -> nn.Module:
        return TinyNetwork()


class TinyNetwork(nn.Module):
    """Has what a real one has: convolutions, BatchNorm with its counter, a scalar, a matrix."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.bn = nn.BatchNorm2d(4)
        self.step = nn.Parameter(torch.zeros(()))
        self.fc = nn.Linear(5, 2)


def tiny_state(seed: int = 0) -> dict[str, Tensor]:
    """A state dict of `TinyNetwork` that depends on the seed in every float entry."""
    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.rand(t.shape, generator=generator) if t.is_floating_point() else t + 5
        for name, t in TinyNetwork().state_dict().items()
    }
