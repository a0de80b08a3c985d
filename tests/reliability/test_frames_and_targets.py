"""The tracker itself, behind the server's session, on frames and targets of every kind."""

import math
from collections.abc import Callable
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
import trax
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from alpharefine.build import build_tracker
from alpharefine.errors import UsageError
from alpharefine.types import Tracker
from vot_integration.regions.answers import Output
from vot_integration.regions.shapes import Shape
from vot_integration.serving.protocol import from_trax, to_trax
from vot_integration.serving.run_log import Tally
from vot_integration.serving.session import Reply, Session

HEIGHT, WIDTH = 120, 160
OUTPUTS = list(Output)


@cache
def tracker() -> Tracker:
    return build_tracker("ARDiMP_lite", device="cpu", precision="float32")


def session(output: Output = Output.MASK) -> Session:
    return Session(tracker(), output, Tally())


def noise(height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    random = np.random.default_rng(0)
    small = random.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), dtype=np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def png(path: Path, image: np.ndarray) -> None:
    path.write_bytes(cv2.imencode(".png", image)[1].tobytes())


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("frames") / "plain.png"
    png(path, noise())
    return str(path)


def objects(region: trax.Region) -> list[Shape]:
    return [from_trax(region)]


def assert_sound(reply: Reply, height: int, width: int) -> None:
    """A region that the toolkit takes, inside the frame."""
    region = to_trax(reply.shape)
    assert 0 <= reply.confidence <= 1
    if region.type == trax.Region.MASK:
        pixels = region.array()
        (x, y), (w, h) = region.offset(), region.size()
        assert pixels.dtype == np.uint8
        assert (w >= 2) and (h >= 1)
        assert set(np.unique(pixels)) <= {0, 1}
        # An empty column left of the frame keeps a line from being read as empty.
        assert x >= -1 and y >= 0
        assert x + w <= max(width, 2) and y + h <= max(height, 2)
        return
    if region.type == trax.Region.POLYGON:
        corners = np.array(list(region))
        assert 3 <= len(corners) <= 8
    else:
        x, y, w, h = region.bounds()
        assert w >= 0 and h >= 0
        corners = np.array([(x, y), (x + w, y + h)])
    assert np.isfinite(corners).all()
    assert (corners >= 0).all()
    assert (corners <= (width, height)).all()


def turned(path: Path, orientation: int) -> None:
    """A JPEG that EXIF says to turn: OpenCV does, and so does the toolkit."""
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    Pillow.fromarray(noise()).save(path, "JPEG", exif=exif)


def truncated(path: Path) -> None:
    content = cv2.imencode(".jpg", noise())[1].tobytes()
    path.write_bytes(content[: len(content) // 2])


FRAMES: dict[str, tuple[Callable[[Path], None], tuple[int, int]]] = {
    "gray": (lambda path: png(path, noise()[..., 0]), (HEIGHT, WIDTH)),
    "16 bit": (lambda path: png(path, noise().astype(np.uint16) * 257), (HEIGHT, WIDTH)),
    "RGBA": (lambda path: png(path, np.dstack([noise(), noise()[..., 0]])), (HEIGHT, WIDTH)),
    "turned by EXIF": (lambda path: turned(path, 6), (WIDTH, HEIGHT)),
    "mirrored by EXIF": (lambda path: turned(path, 2), (HEIGHT, WIDTH)),
    "truncated": (truncated, (HEIGHT, WIDTH)),
    "one pixel": (lambda path: png(path, noise(1, 1)), (1, 1)),
    "one row": (lambda path: png(path, noise(1, 300)), (1, 300)),
    "one column": (lambda path: png(path, noise(300, 1)), (300, 1)),
    "20000 x 20": (lambda path: png(path, noise(20, 20000)), (20, 20000)),
    "20 x 20000": (lambda path: png(path, noise(20000, 20)), (20000, 20)),
    "4K": (lambda path: png(path, noise(2160, 3840)), (2160, 3840)),
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_of_another_kind_in_mid_sequence(tmp_path: Path, plain: str, name: str) -> None:
    write, (height, width) = FRAMES[name]
    path = tmp_path / "frame.jpg"
    write(path)
    for output in OUTPUTS if name in ("one pixel", "20000 x 20") else OUTPUTS[:1]:
        run = session(output)
        run.initialize(plain, objects(trax.Rectangle.create(40, 30, 40, 30)))
        assert_sound(run.track(plain), HEIGHT, WIDTH)
        assert_sound(run.track(str(path)), height, width)
        assert_sound(run.track(plain), HEIGHT, WIDTH)


@pytest.mark.parametrize("name", FRAMES)
def test_a_first_frame_of_another_kind(tmp_path: Path, name: str) -> None:
    write, (height, width) = FRAMES[name]
    path = tmp_path / "frame.jpg"
    write(path)
    run = session()
    whole = trax.Rectangle.create(0, 0, width, height)
    assert_sound(run.initialize(str(path), objects(whole)), height, width)
    assert_sound(run.track(str(path)), height, width)


@pytest.mark.parametrize("content", [None, b"", b"<html>404</html>", b"\xff\xd8\xff\xe0"])
def test_unreadable_frames_keep_the_last_state_and_are_counted(
    tmp_path: Path, plain: str, content: bytes | None
) -> None:
    path = tmp_path / "frame.jpg"
    if content is not None:
        path.write_bytes(content)
    tally = Tally()
    run = Session(tracker(), Output.MASK, tally)
    run.initialize(plain, objects(trax.Rectangle.create(40, 30, 40, 30)))
    before = run.track(plain)
    kept = [run.track(str(path)) for _ in range(3)]
    assert all(reply.shape is before.shape and reply.confidence == 0 for reply in kept)
    assert tally["unreadable frames"] == 3
    with pytest.raises(UsageError, match="the first frame cannot be read"):
        run.initialize(str(path), objects(trax.Rectangle.create(40, 30, 40, 30)))


def mask_region(pixels: np.ndarray, x: int = 0, y: int = 0) -> trax.Region:
    return trax.Mask.create(np.ascontiguousarray(pixels, np.uint8), x, y)


def specks() -> np.ndarray:
    return (np.random.default_rng(3).random((HEIGHT, WIDTH)) < 0.02).astype(np.uint8)


def holes() -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[20:90, 30:120] = 1
    mask[30:80:4, 40:110:3] = 0
    return mask


def line(rows: slice, columns: slice) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[rows, columns] = 1
    return mask


TARGETS: dict[str, Callable[[], trax.Region]] = {
    "one pixel": lambda: trax.Rectangle.create(80, 60, 1, 1),
    "a part of a pixel": lambda: trax.Rectangle.create(80.2, 60.7, 0.01, 0.01),
    "one pixel in the corner": lambda: trax.Rectangle.create(WIDTH - 1, HEIGHT - 1, 1, 1),
    "the full frame": lambda: trax.Rectangle.create(0, 0, WIDTH, HEIGHT),
    "far more than the frame": lambda: trax.Rectangle.create(-900, -900, 2500, 2500),
    "half outside": lambda: trax.Rectangle.create(-30, 100, 60, 60),
    "a thin line": lambda: trax.Rectangle.create(5, 60, 150, 0.5),
    "a thin column": lambda: trax.Rectangle.create(80, 5, 0.5, 110),
    "a mask of one pixel": lambda: mask_region(line(slice(7, 8), slice(9, 10))),
    "a mask of one row": lambda: mask_region(line(slice(7, 8), slice(2, 150))),
    "a mask of one column": lambda: mask_region(line(slice(2, 110), slice(159, 160))),
    "a mask with holes": lambda: mask_region(holes()),
    "specks": lambda: mask_region(specks()),
    "a full mask": lambda: mask_region(np.ones((HEIGHT, WIDTH))),
    "a mask over the border": lambda: mask_region(np.ones((50, 50)), -20, 90),
    "a crossed polygon": lambda: trax.Polygon.create([(20, 20), (90, 90), (90, 20), (20, 90)]),
    "a polygon without area": lambda: trax.Polygon.create([(20, 20), (90, 20), (50, 20)]),
}


@pytest.mark.parametrize("name", TARGETS)
def test_targets(plain: str, name: str) -> None:
    for output in OUTPUTS:
        run = session(output)
        assert_sound(run.initialize(plain, objects(TARGETS[name]())), HEIGHT, WIDTH)
        assert_sound(run.track(plain), HEIGHT, WIDTH)


NO_TARGETS: dict[str, Callable[[], trax.Region]] = {
    "outside": lambda: trax.Rectangle.create(WIDTH + 1, 0, 20, 20),
    "above": lambda: trax.Rectangle.create(10, -50, 20, 20),
    "no area": lambda: trax.Rectangle.create(10, 10, 0, 20),
    "an empty mask": lambda: mask_region(np.zeros((HEIGHT, WIDTH))),
    "a mask outside": lambda: mask_region(np.ones((5, 5)), WIDTH + 1, 3),
    "inf": lambda: trax.Rectangle.create(10, 10, math.inf, 20),
    "inf corner": lambda: trax.Polygon.create([(0, 0), (math.inf, 5), (9, 9)]),
}


@pytest.mark.parametrize("name", NO_TARGETS)
def test_no_targets(plain: str, name: str) -> None:
    with pytest.raises(UsageError) as error:
        session().initialize(plain, objects(NO_TARGETS[name]()))
    assert str(error.value).isprintable()


RECTANGLES = st.builds(
    trax.Rectangle.create,
    st.floats(-200, 400, width=32),
    st.floats(-200, 400, width=32),
    st.floats(0, 600, width=32),
    st.floats(0, 600, width=32),
)
POLYGONS = st.lists(
    st.tuples(st.floats(-100, 260, width=32), st.floats(-100, 220, width=32)),
    min_size=3,
    max_size=50,
).map(trax.Polygon.create)


def check_any_target(plain: str, region: trax.Region, output: Output) -> None:
    run = session(output)
    try:
        first = run.initialize(plain, objects(region))
    except UsageError as error:
        assert str(error).isprintable()
        return
    assert_sound(first, HEIGHT, WIDTH)
    assert_sound(run.track(plain), HEIGHT, WIDTH)


@given(region=RECTANGLES | POLYGONS, output=st.sampled_from(OUTPUTS))
@settings(max_examples=8, derandomize=True)
def test_any_target_is_followed_or_refused(plain: str, region: trax.Region, output: Output) -> None:
    check_any_target(plain, region, output)


@pytest.mark.soak
@given(region=RECTANGLES | POLYGONS, output=st.sampled_from(OUTPUTS))
@settings(max_examples=400)
def test_any_target_is_followed_or_refused_at_length(
    plain: str, region: trax.Region, output: Output
) -> None:
    check_any_target(plain, region, output)
