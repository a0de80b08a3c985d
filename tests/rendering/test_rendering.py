import hashlib
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest

from alpharefine.errors import UsageError
from rendering.arrays import Floats
from rendering.compositing import HEIGHT, WIDTH, Actor
from rendering.renderer import Renderer, Scene
from rendering.scenes import LENGTH, SCENES
from rendering.sprites import Appearance
from vot_integration.sequences import builtin
from vot_integration.sequences.builtin import BUILTIN_NAMES, RENDERING, render_sequence

DIGESTED_FRAMES = (0, 1, 2, 33, 76, 129)

# sha256 of images and masks of DIGESTED_FRAMES. Whoever changes a pixel records them anew and
# raises RENDERING, so that folders rendered before are replaced.
RECORDED_RENDERING = 1
RECORDED = {
    "beetle": "cbed3ff5553c9301a582829dbef6cc650cc9dee850869d8c855c2411d3aecb3f",
    "kite": "557fe34c7772d2705a64e33a745a310c45a04cee0128715b5fb186a5e9f274a1",
    "ball": "e7de5a5b1fb8e1057338df663d20da8f4aeee7e00cf6cb08eb1956d2c4d1b361",
    "tractor": "09c7dec0f2217ee48da648ae6e1cb80efb8ca925c25301827b2e3efba21dbf3f",
    "fish": "ec2380ffbde50d0f9fdcbaa25e1b95ecbca4f47e31a276adfc75b71d3b55b306",
    "bird": "07cfb8a998f93b631064585b655a556fc811b9f3ac7d487502696d5d8e4f65f9",
}


@pytest.fixture(scope="module")
def renderer() -> Callable[[str], Renderer]:
    renderers: dict[str, Renderer] = {}

    def get(name: str) -> Renderer:
        if name not in renderers:
            renderers[name] = Renderer(SCENES[name])
        return renderers[name]

    return get


def test_names_and_length_that_are_known_without_rendering_are_those_of_the_scenes() -> None:
    assert tuple(SCENES) == BUILTIN_NAMES
    assert builtin.LENGTH == LENGTH


def test_rendering_is_imported_only_where_something_is_rendered() -> None:
    code = (
        "import sys, vot_integration.sequences.builtin as builtin; from pathlib import Path\n"
        "assert 'rendering' not in sys.modules; builtin.render_sequence('kite', 2)\n"
        "assert 'rendering' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", BUILTIN_NAMES)
def test_pixels_are_the_recorded_ones(name: str, renderer: Callable[[str], Renderer]) -> None:
    digest = hashlib.sha256()
    for index in DIGESTED_FRAMES:
        frame = renderer(name).frame(index)
        digest.update(frame.image.tobytes())
        digest.update(frame.mask.tobytes())
    assert (RENDERING, digest.hexdigest()) == (RECORDED_RENDERING, RECORDED.get(name))


@pytest.mark.parametrize("name", BUILTIN_NAMES)
def test_frames_have_the_promised_form(name: str, renderer: Callable[[str], Renderer]) -> None:
    frame = renderer(name).frame(20)
    assert frame.image.shape == (HEIGHT, WIDTH, 3) == (360, 640, 3)
    assert frame.image.dtype == np.uint8
    assert frame.mask.shape == (HEIGHT, WIDTH)
    assert frame.mask.dtype == np.uint8
    assert frame.mask.flags.c_contiguous
    assert set(np.unique(frame.mask)) == {0, 1}
    assert renderer(name).composite(20).image.dtype == np.float32


def test_frames_do_not_depend_on_the_order_of_rendering(
    renderer: Callable[[str], Renderer],
) -> None:
    in_order = [next(frames) for frames in [render_sequence("fish", 3)] for _ in range(3)]
    for index in (2, 0, 1):
        frame = renderer("fish").frame(index)
        np.testing.assert_array_equal(frame.image, in_order[index].image)
        np.testing.assert_array_equal(frame.mask, in_order[index].mask)


@dataclass(frozen=True)
class _Flat:
    """A look in one gray level, with the outline of another."""

    look: Appearance
    level: float

    @property
    def half_size(self) -> tuple[float, float]:
        return self.look.half_size

    def draw(self, x: Floats, y: Floats, phase: float, pixels_per_unit: float) -> Floats:
        picture = self.look.draw(x, y, phase, pixels_per_unit)
        picture[..., :3] = self.level * picture[..., 3:]
        return picture


@cache
def _cast(paint: Callable[[], tuple[Actor, ...]]) -> tuple[Actor, ...]:
    return paint()


def _wall() -> Floats:
    return np.full((540, 1500, 3), 117, dtype=np.float32)


def _with_target(scene: Scene, change: Callable[[Actor], Actor]) -> Renderer:
    """A renderer of the scene before a plain wall, in which another actor stands for the target."""

    def cast() -> tuple[Actor, ...]:
        actors = _cast(scene.cast)
        return (
            *actors[: scene.target],
            change(actors[scene.target]),
            *actors[scene.target + 1 :],
        )

    return Renderer(replace(scene, cast=cast, backdrop=_wall))


# one frame each: undisturbed, then with blur, scenery, look-alikes or the border in the way
MASKED_FRAMES = [
    ("beetle", 60),
    ("ball", 50),
    ("tractor", 84),
    ("fish", 35),
    ("fish", 78),
    ("bird", 57),
]


@pytest.mark.parametrize(("name", "index"), MASKED_FRAMES)
def test_mask_is_where_the_target_makes_half_of_the_pixel(name: str, index: int) -> None:
    scene = SCENES[name]
    black, white = (
        _with_target(
            scene, lambda actor, level=level: replace(actor, look=_Flat(actor.look, level))
        )
        .composite(index)
        .image
        for level in (0.0, 255.0)
    )
    share = (white - black)[..., 0] / 255
    certain = np.abs(share - 0.5) > 1e-4
    mask = _with_target(scene, lambda actor: actor).frame(index).mask
    assert 0 < mask.sum() < mask.size
    np.testing.assert_array_equal(mask[certain], (share >= 0.5)[certain])
    assert certain.mean() > 0.999


@pytest.mark.parametrize(("name", "index"), MASKED_FRAMES)
def test_pixels_without_the_target_are_those_of_the_empty_scene(name: str, index: int) -> None:
    scene = SCENES[name]
    nothing = replace(_cast(scene.cast)[scene.target], shadow=None, look=_Nothing())
    shadowless = _with_target(scene, lambda actor: replace(actor, shadow=None)).composite(index)
    empty = _with_target(scene, lambda _: nothing).composite(index)
    untouched = shadowless.coverage == 0
    np.testing.assert_array_equal(shadowless.image[untouched], empty.image[untouched])
    covered = shadowless.coverage > 0.5
    changed = np.abs(shadowless.image - empty.image).max(axis=2) > 2
    assert changed[covered].mean() > 0.9


class _Nothing:
    half_size = (0.0, 0.0)

    def draw(self, x: Floats, y: Floats, phase: float, pixels_per_unit: float) -> Floats:
        return np.zeros((*np.broadcast_shapes(x.shape, y.shape), 4), dtype=np.float32)


@pytest.mark.parametrize("name", BUILTIN_NAMES)
@pytest.mark.parametrize("index", [0, 50, 100, LENGTH - 1])
def test_target_is_well_visible_at_the_anchors(
    name: str, index: int, renderer: Callable[[str], Renderer]
) -> None:
    frame = renderer(name).frame(index)
    assert frame.visibility >= 0.9
    assert frame.mask.sum() > 800


@pytest.mark.parametrize(("name", "index"), [("tractor", 71), ("bird", 60), ("bird", 70)])
def test_hidden_or_absent_target_has_an_empty_mask(
    name: str, index: int, renderer: Callable[[str], Renderer]
) -> None:
    frame = renderer(name).frame(index)
    assert frame.visibility == 0
    assert not frame.mask.any()


@pytest.mark.parametrize(("name", "index"), [("tractor", 84), ("fish", 35), ("fish", 78)])
def test_partly_hidden_target_keeps_its_visible_part(
    name: str, index: int, renderer: Callable[[str], Renderer]
) -> None:
    frame = renderer(name).frame(index)
    assert 0.2 < frame.visibility < 0.8
    assert frame.mask.any()


def test_scale_changes(renderer: Callable[[str], Renderer]) -> None:
    areas = [int(renderer("kite").frame(index).mask.sum()) for index in (0, 70, 129)]
    assert areas[0] > 2.5 * areas[1]
    assert areas[2] > 2.5 * areas[1]


def test_ball_is_fast(renderer: Callable[[str], Renderer]) -> None:
    centers = [np.argwhere(renderer("ball").frame(index).mask).mean(axis=0) for index in (20, 21)]
    assert np.hypot(*(centers[1] - centers[0])) > 20


def test_light_changes(renderer: Callable[[str], Renderer]) -> None:
    before, during = (renderer("kite").frame(index).image.mean() for index in (45, 80))
    assert during < 0.7 * before


@pytest.mark.parametrize("frames", [1, 0, -3, LENGTH + 1])
def test_impossible_length_is_refused_before_rendering(frames: int) -> None:
    with pytest.raises(UsageError, match=f"frames={frames}.*2 to 130"):
        render_sequence("ball", frames)


def test_unknown_name_is_refused_before_rendering() -> None:
    with pytest.raises(UsageError, match="'cat'; choose among beetle, kite"):
        render_sequence("cat")
