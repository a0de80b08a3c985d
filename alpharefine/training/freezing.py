"""Which part of a backbone a run leaves as it is."""

from torch import nn

from alpharefine.errors import UsageError


def stages_until(backbone: nn.Module, last: str | None) -> list[nn.Module]:
    """The backbone's parts up to the stage `last` and with it; None: no part.

    Args:
        backbone: its children are its parts in order of computation.
        last: name of a child.

    Raises:
        UsageError: there is no such child.
    """
    if last is None:
        return []
    parts = dict(backbone.named_children())
    if last not in parts:
        raise UsageError(
            f"frozen_until: no backbone stage {last!r}; choose from {', '.join(parts)}"
        )
    names = list(parts)
    return [parts[name] for name in names[: names.index(last) + 1]]
