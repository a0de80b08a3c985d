"""What is known of a network beside its layers: input, official file, weights. Without torch."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from torch import nn

SUFFIX = ".safetensors"
"""Of weights files of ours."""


class NetworkConfig(Protocol):
    """Sizes of a network: a frozen dataclass of plain values."""

    @property
    def renames(self) -> Mapping[str, str]:
        """Prefix of an entry's name in official and in earlier files -> today's."""
        ...

    def build(self) -> "nn.Module":
        """The network with its initial random weights, in training mode."""
        ...


@dataclass(frozen=True)
class InputSpec:
    """What a network expects of its square crops.

    Attributes:
        size: side of the crops that it was trained with, px.
        mean: subtracted from each channel, in the order of `channels`.
        std: what the difference is divided by.
        white: value of a white pixel when `mean` is subtracted: 1, or 255 for none of the usual
            scaling.
        channels: order of the color channels.
    """

    size: int
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    white: float = 1.0
    channels: Literal["rgb", "bgr"] = "rgb"

    @property
    def description(self) -> str:
        """The same in words."""
        return (
            f"{self.channels.upper()} in 0..{self.white:g}, minus {self.mean}, divided by "
            f"{self.std}; crop {self.size} x {self.size}"
        )


IMAGENET = InputSpec(size=224)
"""The normalization of torchvision's classification networks."""

RAW_BGR = InputSpec(255, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), white=255.0, channels="bgr")
"""Pixels as OpenCV reads them."""

MIDDLE_RGB = InputSpec(107, (128.0, 128.0, 128.0), (1.0, 1.0, 1.0), white=255.0)
"""Pixels less the middle of their range."""


@dataclass(frozen=True)
class OfficialFile:
    """How the authors' file of a network is laid out.

    Attributes:
        keys: where the network's entries may lie in the file's mapping; the first one that is
            there is read, "" stands for the mapping itself.
        unread: prefixes of entries that nothing reads, by the names of the file.
        dropped: prefixes that all names may have in front, as `torch.nn.DataParallel` writes them.
    """

    keys: tuple[str, ...] = ("net",)
    unread: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ("module.",)


@dataclass(frozen=True)
class WeightsSpec:
    """Named weights, of one network or of several in one file.

    Attributes:
        name: what the user calls them.
        url: where the converted file can be fetched; None when it cannot.
        sha256: of the file; None when unknown, which only weights without `url` may have.
        size: bytes, None when unknown.
        license: terms of use, in words.
        source: where the weights come from, and the paper.
        obtain: what to do when they are not on this machine, as an imperative.
        reported: results that the source states.

    Raises:
        ValueError: an entry of the table is wrong.
    """

    name: str
    url: str | None
    sha256: str | None
    size: int | None
    license: str
    source: str
    obtain: str
    reported: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\w[\w.-]*", self.name):
            raise ValueError(f"{self.name!r} is not a plain file name")
        if self.url is not None and self.sha256 is None:
            raise ValueError(f"{self.name}: weights with a url need a sha256")

    @property
    def file(self) -> str:
        """Its file name, in the package and in the cache."""
        return f"{self.name}{SUFFIX}"


@dataclass(frozen=True)
class NetworkSpec:
    """A named network.

    Attributes:
        name: as weights files and users call it.
        config: what `build`s it.
        input: what it expects of its crops.
        weights: registered ones, the best first.
        official: layout of the authors' file; None where they publish none.
        backbone_of: network whose registered weights hold the backbone; None: its own do.
        has_weights: whether anything of it is learned.
    """

    name: str
    config: NetworkConfig
    input: InputSpec
    weights: tuple[WeightsSpec, ...] = ()
    official: OfficialFile | None = None
    backbone_of: str | None = None
    has_weights: bool = True


def rename_entry(name: str, renames: Mapping[str, str]) -> str:
    """Today's name of an entry of an official or an earlier file; today's names stay.

    Args:
        name: in the file.
        renames: `renames` of the network's configuration.
    """
    for before, after in renames.items():
        if name.startswith(before):
            return after + name.removeprefix(before)
    return name


def official_name(name: str, renames: Mapping[str, str]) -> str:
    """Name in the authors' file of an entry of today's name: `rename_entry` turned round."""
    return rename_entry(name, {after: before for before, after in renames.items()})
