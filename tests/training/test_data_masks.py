"""Masks and label maps of every form."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PilImage

from alpharefine.data.images import FrameError
from alpharefine.data.mask_pictures import MaskSurvey, ObjectChoice, read_picture_of_masks
from alpharefine.errors import UsageError

HEIGHT, WIDTH = 60, 80
TARGET = np.s_[10:30, 20:44]
"""480 pixels."""
OTHER = np.s_[40:52, 50:66]
"""192 pixels."""


def drawn(target: int, other: int = 0, kind: type = np.uint8) -> NDArray[np.generic]:
    labels = np.zeros((HEIGHT, WIDTH), kind)
    labels[TARGET], labels[OTHER] = target, other
    return labels


def palette(labels: NDArray[np.generic], colors: list[int]) -> PilImage.Image:
    picture = PilImage.fromarray(labels).convert("L")
    picture = PilImage.frombytes("P", picture.size, picture.tobytes())
    picture.putpalette(colors)
    return picture


def colored(target: tuple[int, int, int], other: tuple[int, int, int]) -> PilImage.Image:
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[TARGET], pixels[OTHER] = target, other
    return PilImage.fromarray(pixels)


def photo() -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)


def with_alpha(color: NDArray[np.uint8], alpha: NDArray[np.generic]) -> PilImage.Image:
    return PilImage.fromarray(np.dstack([color, alpha.astype(np.uint8)]), "RGBA")


def soft(sigma: float, value: int = 255) -> PilImage.Image:
    return PilImage.fromarray(cv2.GaussianBlur(np.asarray(drawn(value), np.uint8), (0, 0), sigma))


def many() -> PilImage.Image:
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    for k in range(24):
        labels[k // 8 * 12 : k // 8 * 12 + 8, k % 8 * 10 : k % 8 * 10 + 8] = k + 1
    return PilImage.fromarray(labels)


WHITE = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)

ONE: dict[str, Callable[[], PilImage.Image]] = {
    "0 and 1": lambda: PilImage.fromarray(drawn(1)),
    "0 and 255": lambda: PilImage.fromarray(drawn(255)),
    "one bit": lambda: PilImage.fromarray(drawn(255)).convert("1"),
    "16 bits": lambda: PilImage.fromarray(drawn(65535, kind=np.uint16)),
    "three channels": lambda: PilImage.fromarray(drawn(255)).convert("RGB"),
    "palette": lambda: palette(drawn(1), [0, 0, 0, 200, 10, 10]),
    "white first in the palette": lambda: palette(1 - drawn(1), [255, 255, 255, 0, 0, 0]),
    "opaque": lambda: with_alpha(np.dstack([drawn(255)] * 3).astype(np.uint8), drawn(0) + 255),
    "alpha of white": lambda: with_alpha(WHITE, drawn(255)),
    "alpha of black": lambda: with_alpha(WHITE * 0, drawn(255)),
    "alpha of a photograph": lambda: with_alpha(photo(), drawn(255)),
    "gray and alpha": lambda: with_alpha(WHITE, drawn(255)).convert("LA"),
    "1 and 255 around": lambda: PilImage.fromarray(drawn(1, 255)),
    "class 15 and 255 around": lambda: PilImage.fromarray(drawn(15, 255)),
}


@pytest.mark.parametrize("form", ONE)
def test_one_object(form: str, tmp_path: Path) -> None:
    ONE[form]().save(tmp_path / "mask.png")
    [choice] = choose(tmp_path / "mask.png")
    mask = choice.mask(read_picture_of_masks(tmp_path / "mask.png"))
    assert mask.dtype == np.uint8 and np.array_equal(mask, drawn(1))


def choose(
    *files: Path, label: int | None = None, threshold: int | None = None
) -> list[ObjectChoice]:
    survey = MaskSurvey("the masks")
    for file in files:
        survey.add(read_picture_of_masks(file))
    return list(survey.choose(label, threshold))


SOFT = {
    "soft.png": lambda: soft(1),
    "softer.png": lambda: soft(3),
    "dimmer.png": lambda: soft(1, 200),
    "half.png": lambda: (
        PilImage.fromarray(drawn(255)).resize((77, 57), 2).resize((WIDTH, HEIGHT), 2)
    ),
    "fine.jpg": lambda: PilImage.fromarray(drawn(255)),
    "color.jpg": lambda: PilImage.fromarray(drawn(255)).convert("RGB"),
    "alpha.png": lambda: with_alpha(photo(), np.asarray(soft(1))),
}


@pytest.mark.parametrize("name", SOFT)
def test_soft_edges_are_no_objects(name: str, tmp_path: Path) -> None:
    SOFT[name]().save(tmp_path / name)
    [choice] = choose(tmp_path / name)
    mask = choice.mask(read_picture_of_masks(tmp_path / name))
    wrong = mask != drawn(1)
    assert choice.label is None and wrong.sum() < 60
    assert not wrong[TARGET][2:-2, 2:-2].any(), "errors are at edges"


SEVERAL = {
    "16 bits": (lambda: PilImage.fromarray(drawn(1001, 2025, np.uint16)), [1001, 2025]),
    "a multiple of 256": (lambda: PilImage.fromarray(drawn(256, 3, np.uint16)), [3, 256]),
    "32 bits": (lambda: PilImage.fromarray(drawn(70000, 1, np.int32)), [1, 70000]),
    "gray levels": (lambda: PilImage.fromarray(drawn(127, 255)), [127, 255]),
    "palette": (lambda: palette(drawn(1, 2), [0, 0, 0, 128, 0, 0, 0, 128, 0]), [1, 2]),
    "colors of DAVIS": (lambda: colored((128, 0, 0), (0, 128, 0)), [1, 2]),
    "other colors": (lambda: colored((255, 0, 0), (0, 0, 255)), [1000000255, 1255000000]),
    "colors on nothing": (
        lambda: with_alpha(
            np.where(drawn(1)[..., None] > 0, [128, 0, 0], [0, 128, 0]).astype(np.uint8),
            drawn(255, 255),
        ),
        [1, 2],
    ),
    "24 objects": (many, list(range(1, 25))),
}


@pytest.mark.parametrize("form", SEVERAL)
def test_several_objects(form: str, tmp_path: Path) -> None:
    make, labels = SEVERAL[form]
    suffix = ".tif" if form == "32 bits" else ".png"
    make().save(tmp_path / f"mask{suffix}")
    picture = read_picture_of_masks(tmp_path / f"mask{suffix}")
    choices = choose(tmp_path / f"mask{suffix}")
    assert [choice.label for choice in choices] == labels
    assert all(choice.mask(picture).any() for choice in choices)
    assert choose(tmp_path / f"mask{suffix}", label=labels[1]) == [ObjectChoice(labels[1])]


def test_objects_of_all_pictures_count(tmp_path: Path) -> None:
    PilImage.fromarray(drawn(1)).save(tmp_path / "a.png")
    PilImage.fromarray(drawn(0, 7)).save(tmp_path / "b.png")
    assert [c.label for c in choose(tmp_path / "a.png", tmp_path / "b.png")] == [1, 7]


def test_a_threshold_makes_one_object(tmp_path: Path) -> None:
    PilImage.fromarray(drawn(90, 200)).save(tmp_path / "a.png")
    picture = read_picture_of_masks(tmp_path / "a.png")
    assert choose(tmp_path / "a.png", threshold=91)[0].mask(picture).sum() == 192
    assert choose(tmp_path / "a.png", threshold=90)[0].mask(picture).sum() == 480 + 192


def test_255_is_ignored_unless_it_is_asked_for(tmp_path: Path) -> None:
    PilImage.fromarray(drawn(1, 255)).save(tmp_path / "a.png")
    assert choose(tmp_path / "a.png", label=255) == [ObjectChoice(255)]


def inverted(white: int = 255) -> PilImage.Image:
    return PilImage.fromarray((white - drawn(white)).astype(np.uint8))


INVERTED: dict[str, tuple[Callable[[], PilImage.Image], str]] = {
    "255.png": (inverted, "--object 255"),
    "1.png": (lambda: inverted(1), "--object 1"),
    "bit.png": (lambda: inverted().convert("1"), "--object 1"),
    "soft.png": (
        lambda: PilImage.fromarray(cv2.GaussianBlur(np.asarray(inverted()), (0, 0), 1)),
        "--threshold 128",
    ),
    "lossy.jpg": (inverted, "--threshold 128"),
}


@pytest.mark.parametrize("name", INVERTED)
def test_a_white_background_is_asked_about(name: str, tmp_path: Path) -> None:
    picture, kept = INVERTED[name]
    picture().save(tmp_path / name)
    decoded, survey = read_picture_of_masks(tmp_path / name), MaskSurvey("the masks")
    survey.add(decoded)
    with pytest.raises(UsageError, match=rf"90% of them and 100% of .*, or {kept} where"):
        survey.find([], None)
    [choice] = survey.find([0], None).choices
    assert (choice.mask(decoded) != drawn(1)).sum() < 60
    [choice] = survey.choose(None, None)
    assert choice.mask(decoded)[0, 0] == 1, "training takes them as they are"
    if "threshold" in kept:
        [choice] = survey.find([], 128).choices
        assert choice.mask(decoded)[0, 0] == 1
        [choice] = survey.find([0], 100).choices
        assert choice.mask(decoded)[20, 30] == 1


def test_one_of_several_objects_may_be_the_background(tmp_path: Path) -> None:
    PilImage.fromarray((1 + drawn(1) + drawn(0, 2)).astype(np.uint8)).save(tmp_path / "m.png")
    survey = MaskSurvey("the masks")
    survey.add(read_picture_of_masks(tmp_path / "m.png"))
    with pytest.raises(UsageError, match=r"object 1 that covers 86% .*--object K, of 1, 2, 3$"):
        survey.find([], None)
    assert [choice.label for choice in survey.find([2, 3], None).choices] == [2, 3]
    with pytest.raises(UsageError, match="object 0 is not in the masks; there are 1, 2, 3"):
        survey.find([0], None)


@pytest.mark.parametrize(("white", "kind"), [(255, np.uint8), (65535, np.uint16)])
def test_what_is_ignored_is_said(white: int, kind: type, tmp_path: Path) -> None:
    PilImage.fromarray(drawn(2, white, kind)).save(tmp_path / "m.png")
    survey = MaskSurvey("the masks")
    survey.add(read_picture_of_masks(tmp_path / "m.png"))
    found = survey.find([], None)
    assert [choice.label for choice in found.choices] == [2]
    ignored = f"the masks have {white}, taken for 'ignore': --object {white} follows it"
    assert list(found.notes) == [ignored]
    assert [choice.label for choice in survey.find([2, white], None).choices] == [2, white]
    assert list(survey.find([2], None).notes) == []


def two_soft() -> PilImage.Image:
    return PilImage.fromarray(cv2.GaussianBlur(np.asarray(drawn(140, 255), np.uint8), (0, 0), 1))


REFUSED = {
    "empty": ("a.png", lambda: PilImage.fromarray(drawn(0)), {}, "are empty"),
    "no such object": (
        "a.png",
        many,
        {"label": 99},
        "object 99 is not in the masks; there are 1, ",
    ),
    "object of a soft mask": ("a.png", lambda: soft(1), {"label": 255}, "leave out --object"),
    "soft objects": ("a.png", two_soft, {}, "give --threshold 128 for one object, or --object K"),
    "JPEG of objects": ("a.jpg", lambda: PilImage.fromarray(drawn(120, 255)), {}, "as PNG"),
    "255 beside 60": ("a.png", lambda: PilImage.fromarray(drawn(60, 255)), {}, "--object K"),
    "both": ("a.png", many, {"label": 1, "threshold": 9}, "exclude each other"),
    "threshold": ("a.png", many, {"threshold": 256}, "give a gray value, 1 to 255"),
    "threshold of colors": (
        "a.png",
        lambda: colored((255, 0, 0), (0, 0, 255)),
        {"threshold": 9},
        "leave out --threshold",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_ambiguous_is_asked_for(case: str, tmp_path: Path) -> None:
    name, make, options, words = REFUSED[case]
    make().save(tmp_path / name)
    with pytest.raises(UsageError, match=words) as error:
        choose(tmp_path / name, **options)
    assert "\n" not in str(error.value)


NO_MASKS = {
    "a.jpg": (lambda: colored((255, 0, 0), (0, 0, 255)), "a color picture"),
    "a.tif": (lambda: PilImage.fromarray(np.full((9, 9), 0.5, np.float32)), "fractions"),
}


@pytest.mark.parametrize("name", NO_MASKS)
def test_what_is_no_mask(name: str, tmp_path: Path) -> None:
    make, words = NO_MASKS[name]
    make().save(tmp_path / name)
    with pytest.raises(FrameError, match=words):
        read_picture_of_masks(tmp_path / name)
