"""The page served in a thread, with trackers that need no network, and a video for them."""

import json
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import cv2
import numpy as np
import pytest
import requests
from websockets.sync.client import connect

from alpharefine.geometry.boxes import mask_to_box
from alpharefine.refinement.point import PointProposal
from alpharefine.types import Box, Estimate, Image, Mask
from vot_integration.demo.serve import Demo, DemoOptions
from vot_integration.regions.answers import Output
from vot_integration.track.choice import Choice, Chosen
from vot_integration.track.follower import CatalogFollower
from vot_integration.workspaces.trackers_ini import TrackerSettings

SIZE = (160, 120)
FRAMES = 16
HIDDEN = range(9, 12)
"""Frames in which the bright square is behind something."""

SECONDS = 30
"""Until something that ought to come is missed; a busy machine may take long."""

DIM, BRIGHT, BACK = 110, 240, 20


def square(frame: int, level: int) -> Box:
    """Where the squares are: the bright one goes right, the dim one left below it."""
    x = 20 + 4 * frame if level == BRIGHT else 110 - 4 * frame
    return Box(x, 20 if level == BRIGHT else 80, 24, 20)


def picture(frame: int) -> Image:
    image = np.full((SIZE[1], SIZE[0], 3), BACK, np.uint8)
    for level in (DIM, BRIGHT):
        if level == DIM or frame not in HIDDEN:
            x, y, w, h = map(int, square(frame, level))
            image[y : y + h, x : x + w] = level
    return image


def write_video(file: Path, frames: int = FRAMES, codec: str = "MJPG") -> Path:
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*codec), 25, SIZE)
    for frame in range(frames):
        writer.write(picture(frame))
    writer.release()
    return file


def like(image: Image, level: float) -> Mask:
    """Pixels that are about as bright."""
    return np.asarray(np.abs(image[..., 0].astype(float) - level) < 40, np.uint8)


class Brightness:
    """Finds what is as bright as the target was."""

    def initialize(self, image: Image, target: Box) -> None:
        self.box = target
        x, y = round(target.x + target.w / 2), round(target.y + target.h / 2)
        self.level = float(image[y, x, 0])

    def track(self, image: Image) -> Estimate:
        mask = like(image, self.level)
        found = mask_to_box(mask)
        if found is None:
            return Estimate(self.box, mask, 0.1, lost=True)
        self.box = found
        return Estimate(found, mask, 0.9)

    def set_state(self, box: Box) -> None:
        self.box = box


class Breaks(Brightness):
    """Fails in the third frame."""

    def initialize(self, image: Image, target: Box) -> None:
        super().initialize(image, target)
        self.left = 2

    def track(self, image: Image) -> Estimate:
        self.left -= 1
        if not self.left:
            raise RuntimeError("the network\nexploded")
        return super().track(image)


class Stubborn(CatalogFollower):
    """Cannot be ended, either."""

    def close(self) -> None:
        raise OSError("it does not end")


def find(choice: Choice) -> Chosen:
    """Stands in for the trackers of the catalog."""
    if choice.tracker == "DiMP50":
        return Chosen(lambda: Stubborn(Breaks(), Output.MASK), True, False)
    if choice.tracker == "DiMPlite":
        return Chosen(lambda: CatalogFollower(Brightness(), Output.BOX), False, False)
    is_random = "Siam" in choice.tracker
    return Chosen(lambda: CatalogFollower(Brightness(), Output.MASK), True, is_random)


def point_at(refiner: object, image: Image, point: tuple[float, float]) -> list[PointProposal]:
    level = float(image[int(point[1]), int(point[0]), 0])
    if level < DIM / 2:
        return []
    mask = like(image, level)
    box = mask_to_box(mask)
    assert box is not None
    wide = np.zeros_like(mask)
    wide[:60] = 1
    return [PointProposal(box, mask, 0.9), PointProposal(Box(0, 0, SIZE[0], 60), wide, 0.5)]


def render(name: str, frames: int) -> Iterator[SimpleNamespace]:
    return (SimpleNamespace(image=picture(frame)) for frame in range(3))


def use_stubs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put what is quick in the place of all that computes."""
    monkeypatch.setattr("vot_integration.demo.menu.choose_follower", find)
    monkeypatch.setattr("vot_integration.demo.menu.boxes_at_point", point_at)
    monkeypatch.setattr("alpharefine.build.build_refiner", lambda **_: None)
    monkeypatch.setattr("vot_integration.demo.menu.render_sequence", render)


@contextmanager
def served(monkeypatch: pytest.MonkeyPatch, **options: Any) -> Iterator[str]:
    """The page at an address."""
    use_stubs(monkeypatch)
    settings = TrackerSettings(None, "cpu", "auto")
    choice = Choice("ARDiMP_lite", settings, Path("no-such-workspace"))
    with Demo(DemoOptions(choice, port=0, **options)) as demo:
        thread = threading.Thread(target=demo.run, daemon=True)
        thread.start()
        try:
            yield demo.address
        finally:
            demo.stop()
            thread.join(SECONDS)


class Page:
    """What a browser does, without one."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.opened = requests.post(f"{address}api/pages", timeout=SECONDS).json()
        self.base = f"{address}api/pages/{self.opened['page']}"
        self.state: dict[str, Any] = {}
        self.phases: list[str] = []
        self.found: dict[int, list[dict[str, Any]]] = {}
        self.errors: list[str] = []
        self.pictures: dict[int, Image] = {}

    def __enter__(self) -> Self:
        address = self.base.replace("http", "ws", 1) + "/events"
        self._connection = connect(address, max_size=None)
        self.socket = self._connection.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.__exit__(None, None, None)

    def post(self, path: str, **fields: Any) -> requests.Response:
        return requests.post(f"{self.base}/{path}", data=json.dumps(fields), timeout=SECONDS)

    def ask(self, path: str, **fields: Any) -> Any:
        answer = self.post(path, **fields)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def upload(self, file: Path) -> requests.Response:
        with file.open("rb") as data:
            return requests.post(
                f"{self.base}/video", params={"name": file.name}, data=data, timeout=SECONDS
            )

    def until(self, *phases: str) -> dict[str, Any]:
        """Listen until a phase has come."""
        while self.state.get("phase") not in phases:
            self.listen()
        return self.state

    def listen(self) -> None:
        data = self.socket.recv(SECONDS)
        assert isinstance(data, bytes)
        (length,) = struct.unpack(">I", data[:4])
        head = json.loads(data[4 : 4 + length])
        for word in head["words"]:
            if "state" in word:
                self.state = word["state"]
                self.phases.append(self.state["phase"])
                first, after = self.state["first"], self.state["next"]
                kept = range(0) if first is None else range(first, after)
                self.found = {at: one for at, one in self.found.items() if at in kept}
            elif "error" in word:
                self.errors.append(word["error"])
            else:
                self.found[word["frame"]] = word["found"]
        if head["picture"] is not None:
            picture = cv2.imdecode(np.frombuffer(data[4 + length :], np.uint8), cv2.IMREAD_COLOR)
            assert picture is not None
            self.pictures[head["picture"]] = np.asarray(picture, np.uint8)

    def track(self, *trackers: str, until: str = "finished", **target: Any) -> None:
        """Start, and listen to the end."""
        self.phases.clear()
        self.ask("start", trackers=trackers or ["ARDiMP_lite"], **target)
        while "loading" not in self.phases or self.phases[-1] != until:
            self.listen()


def target(frame: int = 0, level: int = BRIGHT) -> dict[str, Any]:
    return {"frame": frame, "box": list(square(frame, level))}
