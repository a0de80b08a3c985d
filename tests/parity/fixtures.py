"""Where the parity fixtures are, and what every parity test does with them.

The .npz files are in `$PARITY_DIR`, by default `../shared/parity` relative to the repository: those
of DiMP-super and Alpha-Refine in it or in its folder `fixtures/`, those of another family of
trackers in `<family>/` or `<family>/fixtures/`. Weight fillers, manifests and the synthetic video
always come from `../shared/parity`; frames of real videos from `$PARITY_VIDEOS/<name>/color/*.jpg`,
by default `../shared/data/eval_masks`.

Without `../shared` and without `$PARITY_DIR` the tests skip. With `$PARITY_DIR` what is there is
run, and there must be something; by default every kind of fixture must be there.
"""

import hashlib
import importlib.util
import json
import os
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from alpharefine.nets.spec import NetworkConfig, official_name, rename_entry

SHARED = Path(__file__).resolve().parents[3] / "shared"
TOOLS = SHARED / "parity"
_PARITY_DIR = os.environ.get("PARITY_DIR")
_VIDEOS = Path(os.environ.get("PARITY_VIDEOS", SHARED / "data" / "eval_masks"))
_KINDS = ("base_int", "trk2020", "trk256", "dimp50", "atom", "eco", "rtmd")
_SEED = re.compile(r"_w(\d+)(_fixedada)?$")
MASK_PIXEL_TOLERANCE = 20

_ABSENT = not _PARITY_DIR and not SHARED.is_dir()
needs_shared = pytest.mark.skipif(
    _ABSENT, reason=f"no parity fixtures: neither $PARITY_DIR nor {SHARED}"
)

Arrays = dict[str, NDArray[Any]]


def find_fixtures(pattern: str, family: str = "") -> list[Path]:
    """Fixtures that a glob without ".npz" matches.

    Args:
        pattern: of the name.
        family: folder of a family of trackers; "" is DiMP-super and Alpha-Refine.
    """
    root = (Path(_PARITY_DIR) if _PARITY_DIR else TOOLS) / family
    return sorted(
        path for folder in (root, root / "fixtures") for path in folder.glob(f"{pattern}.npz")
    )


def fixture_cases(pattern: str, family: str = "") -> list[Any]:
    """One `pytest.param(path)` for each fixture; arguments as of `find_fixtures`.

    Where there are no fixtures on this machine at all, one case that skips; where one of the usual
    place is missing, one that fails as soon as it is loaded.
    """
    if _ABSENT:
        return [pytest.param(Path(pattern), id=pattern, marks=needs_shared)]
    found = find_fixtures(pattern, family)
    if not found and not _PARITY_DIR:
        return [pytest.param(TOOLS / family / f"{pattern}.npz", id=f"{pattern}-missing")]
    return [pytest.param(path, id=path.stem) for path in found]


def relative_tolerance(name: str) -> float:
    """How far an array of a fixture may be off, as a share of its largest absolute value.

    Optimized filters and what follows from them amplify rounding: a processor of another maker
    gives up to 6e-3, while boxes and flags stay.
    """
    amplified = "filter" in name or name.startswith(("score_map", "scores_"))
    return 1e-2 if amplified else 1e-4


def load_npz(path: Path) -> Arrays:
    """All arrays of one fixture."""
    if not path.is_file():
        pytest.fail(f"parity fixture {path} is missing")
    with np.load(path) as archive:
        return dict(archive)


def filler_seed(path: Path) -> int:
    """Seed of the weight filler, from the `_w<seed>` at the end of a fixture's name; 0 without."""
    found = _SEED.search(path.stem)
    return int(found.group(1)) if found else 0


def video_name(path: Path) -> str:
    """`<video>[<frames>]` of a tracker fixture's name `<kind>_<video>[<frames>][_w<seed>...]`."""
    stem = _SEED.sub("", path.stem)
    kind = next(kind for kind in _KINDS if stem.startswith(f"{kind}_"))
    return stem.removeprefix(f"{kind}_")


@cache
def tool(name: str) -> ModuleType:
    """A program of `../shared/parity`, by its path without ".py"."""
    path = TOOLS / f"{name}.py"
    if not path.is_file():
        pytest.fail(f"parity tool {path} is missing")
    spec = importlib.util.spec_from_file_location(f"parity_{name}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def official_names(module: nn.Module) -> dict[str, str]:
    """Our name of each entry of a network's state_dict -> the official one."""
    renames = cast(NetworkConfig, module.config).renames
    names = {name: official_name(name, renames) for name in module.state_dict()}
    assert all(rename_entry(official, renames) == name for name, official in names.items())
    return names


def fill_network(module: nn.Module, seed: int, filler: str = "fill", prefix: str = "") -> None:
    """Give every entry of the module's state_dict the value that belongs to its name and `seed`.

    The module is put into eval mode.

    Args:
        module: our network.
        seed: of the filler.
        filler: a file of `../shared/parity`, without ".py".
        prefix: of the names that the filler knows, before those of the authors' file.
    """
    fill, official = tool(filler).fill, official_names(module)
    state = {
        name: torch.from_numpy(
            np.ascontiguousarray(fill(prefix + official[name], tuple(value.shape), seed))
        )
        .reshape(value.shape)
        .to(value.dtype)
        for name, value in module.state_dict().items()
    }
    module.load_state_dict(state, strict=True)
    module.eval()


def check_manifest(
    module: nn.Module,
    manifest_name: str,
    unused_prefixes: Sequence[str] = (),
    family: str = "",
    prefix: str = "",
) -> None:
    """Names, shapes and types equal the official ones.

    Args:
        module: our network.
        manifest_name: a file of `../shared/parity/manifests`, without ".json".
        unused_prefixes: official entries that nothing reads and that we do not build.
        family: folder of a family of trackers, which has the manifests instead.
        prefix: of the manifest's names, before those of the authors' file.
    """
    path = TOOLS / family / "manifests" / f"{manifest_name}.json"
    if not path.is_file():
        pytest.fail(f"manifest {path} is missing")
    entries = json.loads(path.read_text())["entries"]
    keys = ("name", "shape", "dtype")
    rows = ([e[key] for key in keys] if isinstance(e, dict) else e for e in entries)
    expected = {
        name: (tuple(shape), dtype.removeprefix("torch."))
        for name, shape, dtype in rows
        if not name.startswith(tuple(unused_prefixes))
    }
    official = official_names(module)
    actual = {
        prefix + official[name]: (tuple(value.shape), str(value.dtype).removeprefix("torch."))
        for name, value in module.state_dict().items()
    }
    assert actual == expected


def has_video(name: str) -> bool:
    """Whether the frames of a real video, named without hyphens, are on this machine."""
    return bool(_video_folders({name}))


def _video_folders(names: set[str]) -> list[Path]:
    return [f for f in sorted(_VIDEOS.glob("*")) if f.name.replace("-", "") in names]


def _real_video_folder(name: str, count: int) -> Path:
    folders = _video_folders({name, name.removesuffix(str(count))})
    if not folders:
        pytest.fail(f"no video for '{name}' in {_VIDEOS}")
    return folders[0]


def _is_synthetic(name: str, count: int) -> bool:
    return name in ("synth", f"synth{count}")


def _read_rgb(path: Path) -> NDArray[np.uint8]:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        pytest.fail(f"cannot read {path}")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def video_frames(name: str, count: int) -> list[NDArray[np.uint8]]:
    """First `count` RGB frames (H x W x 3 uint8) of a fixture's video.

    Args:
        name: as `video_name` gives it, with or without `count` behind it.
        count: number of frames.
    """
    if _is_synthetic(name, count):
        frames: list[NDArray[np.uint8]] = tool("synth_video").synth_video(count)[0]
        return frames
    folder = _real_video_folder(name, count) / "color"
    paths = sorted(folder.glob("*.jpg"))[:count]
    if len(paths) < count:
        pytest.fail(f"{folder} has {len(paths)} frames, {count} are needed")
    return [_read_rgb(path) for path in paths]


def video_initial_mask(name: str, count: int) -> NDArray[np.uint8]:
    """Mask of the first frame, full size, H x W uint8 {0, 1}; arguments as `video_frames`."""
    if _is_synthetic(name, count):
        mask: NDArray[np.uint8] = tool("synth_video").synth_video(1)[1][0]
        return mask
    from vot.region.io import parse_region

    folder = _real_video_folder(name, count)
    height, width = _read_rgb(min((folder / "color").glob("*.jpg"))).shape[:2]
    line = (folder / "groundtruth.txt").read_text().splitlines()[0]
    region = parse_region(line)
    return np.ascontiguousarray(region.rasterize((0, 0, width - 1, height - 1)), dtype=np.uint8)


def sha1(array: NDArray[Any]) -> str:
    """Hexadecimal SHA-1 of an array's bytes, the checksum the fixtures store."""
    return hashlib.sha1(np.ascontiguousarray(array).tobytes()).hexdigest()


def _as_array(values: ArrayLike | torch.Tensor) -> NDArray[np.float64]:
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().numpy()
    return np.asarray(values, dtype=np.float64)


def assert_close_relative(
    actual: ArrayLike | torch.Tensor,
    expected: ArrayLike | torch.Tensor,
    rtol_of_max: float | None = None,
    name: str = "",
) -> None:
    """`actual` differs from `expected` by at most `rtol_of_max` of its largest absolute value.

    None is what `relative_tolerance` allows for an array of this name. NaN is equal to NaN in the
    same place. Shapes must be equal.
    """
    a, e = _as_array(actual), _as_array(expected)
    assert a.shape == e.shape, f"{name}: shape {a.shape}, expected {e.shape}"
    np.testing.assert_array_equal(np.isnan(a), np.isnan(e), err_msg=f"{name}: NaN elsewhere")
    if rtol_of_max is None:
        rtol_of_max = relative_tolerance(name)
    scale = float(np.nanmax(np.abs(e), initial=0.0))
    np.testing.assert_allclose(a, e, rtol=0, atol=rtol_of_max * scale, err_msg=name)


def channel_stats(features: torch.Tensor) -> torch.Tensor:
    """2 x C: mean and unbiased standard deviation over batch and space (a `*_stats` array)."""
    flat = features.detach().double().transpose(0, 1).flatten(1)
    return torch.stack([flat.mean(1), flat.std(1)])


def network_input(crop: NDArray[np.uint8]) -> torch.Tensor:
    """1 x 3 x H x W normalized tensor of a stored H x W x 3 crop."""
    mean, std = np.array((0.485, 0.456, 0.406)), np.array((0.229, 0.224, 0.225))
    normalized = ((crop / 255.0 - mean) / std).transpose(2, 0, 1).astype(np.float32)
    return torch.from_numpy(np.ascontiguousarray(normalized))[None]
