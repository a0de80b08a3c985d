"""Names of the cropping-inside backbones' entries in the authors' files. Without torch."""

_PREFIX = "features.features."
_UNITS = ("layer1.0", "layer1.1", "layer1.2", "layer2.0", "layer2.2", "layer2.3", "layer2.4")
_RESNET = {"downsample.": "shortcut.", "": "residual."}
_PARTS = {
    "cir_resnet22": _RESNET,
    "cir_resnet22w": _RESNET,
    "cir_inception22": {"": ""},
    "cir_resnext22": {
        "basic.conv1_0.": "residual.conv1.",
        "basic.conv3_0.": "residual.conv2.",
        "basic.conv1_1.": "residual.conv3.",
        "basic.bn": "residual.bn",
        "shortcut.": "shortcut.",
        "bn0.": "norm.",
    },
}


def cir_renames(backbone: str) -> dict[str, str]:
    """Prefix in the authors' files -> prefix of a network's attribute `backbone`; none for our own.

    Args:
        backbone: name in `alpharefine.nets.backbones.cir.CROPPED_BACKBONES`.
    """
    if backbone not in _PARTS:
        return {}
    stem = 0 if backbone == "cir_resnext22" else 1
    renames = {
        f"{_PREFIX}conv{stem}.": "backbone.stem.0.",
        f"{_PREFIX}bn{stem}.": "backbone.stem.1.",
    }
    for unit in _UNITS:
        for before, after in _PARTS[backbone].items():
            renames[f"{_PREFIX}{unit}.{before}"] = f"backbone.{unit}.{after}"
    return renames
