"""Do the entries of a file fit a network?"""

from collections.abc import Iterable, Mapping

from torch import Tensor

from alpharefine.errors import UsageError
from alpharefine.weights.pickle_stream import shown

_NAMED = 3


def check_entries(
    found: Mapping[str, Tensor], expected: Mapping[str, Tensor], source: object, network: str
) -> None:
    """Names and shapes must be equal, and integers may not stand for floats.

    Args:
        found: the file's entries.
        expected: the network's state dict, on any device.
        source: what the error message begins with.
        network: name of the network.

    Raises:
        UsageError: they differ. The message names the first few differences of each sort.
    """
    mismatched = (
        f"{name} is {_describe(found[name])}, not {_describe(tensor)}"
        for name, tensor in expected.items()
        if name in found and _describe(found[name]) != _describe(tensor)
    )
    problems = [
        _list("missing", expected.keys() - found.keys()),
        _list("unexpected", map(shown, found.keys() - expected.keys())),
        _list("mismatched", mismatched),
    ]
    if any(problems):
        differences = "; ".join(filter(None, problems))
        raise UsageError(f"{source}: these are not weights for {network}: {differences}")


def check_finite(entries: Mapping[str, Tensor], source: object) -> None:
    """No entry may hold NaN or infinity.

    Raises:
        UsageError: one does.
    """
    for name, tensor in entries.items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise UsageError(f"{source}: entry {name} holds NaN or infinite values")


def _describe(tensor: Tensor) -> str:
    number = "float" if tensor.is_floating_point() else "integer"
    return f"{number} {'x'.join(map(str, tensor.shape)) or 'scalar'}"


def _list(label: str, names: Iterable[str]) -> str:
    every = sorted(names)
    if not every:
        return ""
    more = ", ..." if len(every) > _NAMED else ""
    return f"{len(every)} {label} ({', '.join(every[:_NAMED])}{more})"
