"""Are the weights on this machine what they should be?"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from alpharefine.errors import UsageError
from alpharefine.nets.registry import expected_entries, networks_of
from alpharefine.nets.spec import SUFFIX, WeightsSpec
from alpharefine.weights.convert import OFFICIAL, convert
from alpharefine.weights.entries import check_entries, check_finite
from alpharefine.weights.files import file_sha256, file_type, open_weights, replacing
from alpharefine.weights.mistaken_files import describe_mistaken
from alpharefine.weights.store import cache_folder


@dataclass(frozen=True)
class WeightsCheck:
    """Outcome of a check.

    Attributes:
        path: the file.
        sha256: of the file; None when it cannot be read.
        problem: what is wrong, in one line; None when nothing is.
    """

    path: Path
    sha256: str | None
    problem: str | None


def verify_weights(spec: WeightsSpec, path: Path) -> WeightsCheck:
    """Check a file of registered weights: hash, networks, names and shapes, finite numbers.

    Args:
        spec: what it should be. Where it has no sha256, as converted official files have none, the
            content alone decides.
        path: the file.
    """
    sha256 = None
    try:
        sha256 = file_sha256(path)
        if spec.sha256 not in (None, sha256):
            raise UsageError(
                f"{path}: damaged, or not the weights '{spec.name}' (its sha256 is {sha256}, not "
                f"{spec.sha256})"
            )
        _check_content(spec, path)
    except UsageError as error:
        return WeightsCheck(path, sha256, str(error))
    return WeightsCheck(path, sha256, None)


def install_weights(spec: WeightsSpec, source: Path) -> Path:
    """Put a file that the user has fetched into the cache, where trackers find it by name.

    Args:
        spec: the weights that it holds.
        source: a ".safetensors" file of ours, or an official file, which is converted.

    Returns:
        The file in the cache.

    Raises:
        UsageError: the file is not these weights; nothing is written then.
    """
    destination = cache_folder() / spec.file
    if file_type(source) is None:
        raise UsageError(f"there is no file {source}: name the file that you have downloaded")
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        if source.suffix != SUFFIX and spec.name in OFFICIAL:
            return convert(source, spec.name, destination).path
        mistaken = describe_mistaken(source) if file_type(source) == "file" else None
        if mistaken is not None:
            raise UsageError(f"{source} {mistaken}")
        check = verify_weights(spec, source)
        if check.problem is not None:
            raise UsageError(check.problem)
        with replacing(destination) as partial:
            shutil.copyfile(source, partial)
    except OSError as error:
        raise UsageError(f"{destination}: cannot be written ({error.strerror})") from error
    return destination


def _check_content(spec: WeightsSpec, path: Path) -> None:
    file = open_weights(path)
    networks = networks_of(spec)
    missing = [network for network in networks if network not in file.parts]
    if missing:
        raise UsageError(f"{path}: holds no weights for {', '.join(missing)}")
    for network in networks:
        entries = file.read(network)
        check_entries(entries, expected_entries(network), path, network)
        check_finite(entries, path)
