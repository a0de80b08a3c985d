"""What a tracker answers (mask, rotated box, rectangle) and how a tracker's name says so."""

from enum import Enum

from alpharefine.errors import UsageError


class Output(Enum):
    """Form of the answers sent to the toolkit; the value is the suffix of a tracker's name."""

    MASK = "mask"
    ROTATED = "rotated"
    BOX = "box"


def resolve_output(name: str, output: str | None = None) -> tuple[str, Output]:
    """Split a served name such as `ARDiMP_lite_rotated` into the tracker's name and its output.

    Args:
        name: tracker name, with or without the suffix `_rotated` or `_box`.
        output: "mask", "rotated" or "box"; None or "" lets the suffix decide, and a name without a
            suffix answers masks.

    Raises:
        UsageError: the name is empty, the output unknown, or the two contradict each other.
    """
    if not name:
        raise UsageError("no tracker is named: give --tracker NAME or set ARVOT_TRACKER")
    known = {form.value: form for form in Output}
    if output and output not in known:
        raise UsageError(f"unknown output '{output}': choose one of {', '.join(known)}")
    base, _, suffix = name.rpartition("_")
    if not base or suffix not in (Output.ROTATED.value, Output.BOX.value):
        return name, known[output] if output else Output.MASK
    if output and output != suffix:
        raise UsageError(f"'{name}' answers '{suffix}' but the output is '{output}': drop one")
    return base, known[suffix]
