"""The page in Chromium: drop, drag, click, track, correct, compare, download; wide and narrow."""

import base64
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.demo.serving import (
    BRIGHT,
    DIM,
    FRAMES,
    HIDDEN,
    SECONDS,
    SIZE,
    served,
    square,
    write_video,
)

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="Chromium is not installed (Debian: chromium)"
)

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A webcam that shows a pattern, and a user who allows it.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)
WIDE, NARROW = {"width": 1600, "height": 900}, {"width": 400, "height": 800}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch, served(patch) as address:
        yield address


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("browser"),
            executable_path=CHROMIUM,
            args=FLAGS,
            viewport=WIDE,
        )
        context.set_default_timeout(SECONDS * 1000)
        yield context
        context.close()


class Visit:
    """A page in the browser, and what a user does with it."""

    def __init__(self, page: Any, address: str, tmp_path: Path) -> None:
        self.page, self.address, self.tmp_path = page, address, tmp_path
        self.faults: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("request", self._check_request)
        page.goto(address)
        page.wait_for_selector("#examples button")

    def _check_request(self, request: Any) -> None:
        if not request.url.startswith((self.address, "blob:", "data:")):
            self.faults.append(f"it asks for {request.url}")

    def drop(self, file: Path) -> None:
        """Drop a file, as from a desktop."""
        self.page.evaluate(
            """([name, data]) => {
                const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
                const dataTransfer = new DataTransfer();
                dataTransfer.items.add(new File([bytes], name));
                for (const kind of ["dragenter", "dragover", "drop"]) {
                    document.body.dispatchEvent(
                        new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }));
                }
            }""",
            [file.name, base64.b64encode(file.read_bytes()).decode()],
        )

    def phase(self, name: str) -> None:
        self.page.wait_for_selector(f"body[data-phase={name}]")

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where a pixel of the frame is on the screen."""
        area = self.page.locator(".view canvas").first.bounding_box()
        scale = area["width"] / SIZE[0]
        return area["x"] + x * scale, area["y"] + y * scale

    def drag(self, frame: int, level: int) -> None:
        """Draw a box around a square."""
        x, y, w, h = square(frame, level)
        self.page.mouse.move(*self.place(x, y))
        self.page.mouse.down()
        self.page.mouse.move(*self.place(x + w / 2, y + h / 2))
        self.page.mouse.move(*self.place(x + w, y + h))
        self.page.mouse.up()
        self.page.wait_for_selector("body.drawing")

    def click(self, frame: int, level: int) -> None:
        """Click a square."""
        x, y, w, h = square(frame, level)
        self.page.mouse.click(*self.place(x + w / 2, y + h / 2))

    def box(self) -> list[float]:
        """The box that is drawn, from the fields that tell it."""
        self.page.wait_for_selector("body.drawing")
        return [float(self.page.input_value(f"#box-{name}")) for name in "xywh"]

    def is_at(self, frame: int) -> None:
        # `wait_for_function` would need what the page's policy forbids: eval.
        place = self.page.locator("#place")
        sync_api.expect(place).to_have_text(
            f"frame {frame + 1} of {FRAMES}", timeout=SECONDS * 1000
        )

    def says(self, words: str) -> None:
        self.page.wait_for_selector(f"#status:has-text('{words}')")

    def error(self, words: str) -> None:
        self.page.wait_for_selector(f"#error:has-text('{words}')")

    def color(self, x: float, y: float, lane: int = 0) -> list[int]:
        """Red, green and blue of what the page shows at a pixel of the frame."""
        found: list[int] = self.page.evaluate(
            """async ([x, y, lane]) => {
                const frame = () => new Promise((done) => requestAnimationFrame(done));
                await frame();
                await frame();
                const canvas = document.querySelectorAll(".view canvas")[lane];
                const scale = canvas.width / 160;
                const at = canvas.getContext("2d").getImageData(x * scale, y * scale, 1, 1);
                return [...at.data].slice(0, 3);
            }""",
            [x, y, lane],
        )
        return found

    def is_marked(self, frame: int, level: int, lane: int = 0) -> bool:
        """Whether a square of a frame that is shown is tinted orange, or blue."""
        x, y, w, h = square(frame, level)
        red, _, blue = self.color(x + w / 2, y + h / 2, lane)
        return abs(red - blue) > 40

    def download(self, kind: str) -> Path:
        with self.page.expect_download() as started:
            self.page.click(f"[data-kind={kind}]")
        file = self.tmp_path / started.value.suggested_filename
        started.value.save_as(file)
        return file

    def overhang(self) -> int:
        """By how many pixels the page is wider than the window."""
        script = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        return int(self.page.evaluate(script))


@pytest.fixture
def visit(browser: Any, address: str, tmp_path: Path) -> Iterator[Visit]:
    page = browser.new_page()
    page.set_viewport_size(WIDE)
    visit = Visit(page, address, tmp_path)
    yield visit
    page.close()
    assert visit.faults == []


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("video") / "squares.avi")


def test_drop_drag_track_correct_download(visit: Visit, video: Path) -> None:
    visit.drop(video)
    visit.phase("ready")
    visit.says("Drag a box around the target")
    visit.drag(0, BRIGHT)
    assert visit.box() == pytest.approx(list(square(0, BRIGHT)), abs=1)
    visit.page.keyboard.press("Escape")
    visit.page.wait_for_selector("body:not(.drawing)")
    visit.drag(0, BRIGHT)
    visit.page.click("#go")
    visit.phase("finished")
    visit.is_at(FRAMES - 1)
    assert visit.is_marked(FRAMES - 1, BRIGHT) and not visit.is_marked(FRAMES - 1, DIM)
    # Back to where it was lost, by the keys.
    for frame in range(FRAMES - 2, HIDDEN[-1] - 1, -1):
        visit.page.keyboard.press("ArrowLeft")
        visit.is_at(frame)
    visit.says("Lost here, at frame 12")
    visit.page.wait_for_selector(".view.is-lost")
    # Correct: the other square is what was meant.
    visit.drag(HIDDEN[-1], DIM)
    visit.says("Correct from frame 12 on")
    visit.page.keyboard.press("Enter")
    visit.is_at(FRAMES - 1)
    visit.phase("finished")
    assert visit.is_marked(FRAMES - 1, DIM) and not visit.is_marked(FRAMES - 1, BRIGHT)
    names = {visit.download(kind).name for kind in ("overlay", "masks", "sequence")}
    start = "squares-ARDiMP_lite"
    assert names == {f"{start}.mp4", f"{start}-masks.zip", "squares-vot.zip"}


def test_click_compare_and_load_again(visit: Visit, video: Path) -> None:
    visit.page.set_input_files("#file", video)
    visit.phase("ready")
    visit.click(0, BRIGHT)
    assert visit.box() == pytest.approx(list(square(0, BRIGHT)), abs=2)
    visit.says("Click again for another part")
    visit.click(0, BRIGHT)
    width = visit.page.locator("#box-w")
    sync_api.expect(width).to_have_value("160", timeout=SECONDS * 1000)
    visit.click(0, BRIGHT)
    sync_api.expect(width).not_to_have_value("160", timeout=SECONDS * 1000)
    visit.page.select_option("#tracker-1", "ARDiMP_lite")
    visit.error("choose two different trackers")
    assert visit.page.is_disabled("#go")
    visit.page.select_option("#tracker-1", "DiMP18")
    visit.page.keyboard.press("Escape")
    visit.click(0, BRIGHT)
    visit.box()
    visit.page.click("#go")
    visit.phase("finished")
    visit.is_at(FRAMES - 1)
    assert all(visit.is_marked(FRAMES - 1, BRIGHT, lane) for lane in (0, 1))
    visit.page.reload()
    visit.phase("finished")
    visit.is_at(FRAMES - 1)
    assert visit.page.input_value("#tracker-1") == "DiMP18"
    assert all(visit.is_marked(FRAMES - 1, BRIGHT, lane) for lane in (0, 1))


def test_narrow(visit: Visit, video: Path) -> None:
    visit.page.set_viewport_size(NARROW)
    assert visit.overhang() <= 0
    visit.drop(video)
    visit.phase("ready")
    visit.drag(0, BRIGHT)
    assert visit.overhang() <= 0
    visit.page.select_option("#tracker-1", "DiMPlite")
    visit.page.click("#go")
    visit.phase("finished")
    visit.is_at(FRAMES - 1)
    first, second = (view.bounding_box() for view in visit.page.locator(".view canvas").all())
    assert second["y"] >= first["y"] + first["height"], "one below the other"
    assert visit.overhang() <= 0
    visit.page.locator("#box-x").evaluate("input => { input.closest('details').open = true; }")
    assert visit.overhang() <= 0


def test_webcam(visit: Visit) -> None:
    visit.page.click("#camera-here")
    visit.page.wait_for_selector("#place:has-text('live')")
    canvas = visit.page.locator(".view canvas").first
    area = canvas.bounding_box()
    visit.page.mouse.move(area["x"] + 100, area["y"] + 100)
    visit.page.mouse.down()
    visit.page.mouse.move(area["x"] + 150, area["y"] + 150)
    visit.page.mouse.move(area["x"] + 200, area["y"] + 180)
    visit.page.mouse.up()
    visit.page.wait_for_selector("body.drawing")
    visit.page.click("#go")
    visit.phase("tracking")
    several = re.compile(r"frame ([5-9]|\d\d)")
    place = visit.page.locator("#place")
    sync_api.expect(place).to_have_text(several, timeout=SECONDS * 1000)
    visit.page.keyboard.press("Space")
    visit.phase("paused")
    visit.page.click("#camera")
    visit.page.click("#go")
    visit.phase("finished")


def test_what_goes_wrong_is_one_line(visit: Visit, video: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.mp4").write_text("not a video")
    visit.drop(tmp_path / "notes.mp4")
    visit.error("this is no video")
    visit.page.click("#error button")
    visit.drop(video)
    visit.phase("ready")
    visit.page.select_option("#tracker-0", "DiMP50")
    visit.drag(0, BRIGHT)
    visit.page.click("#go")
    visit.phase("failed")
    visit.error("the network exploded")
    visit.page.select_option("#tracker-0", "SiamRPNpp")
    visit.page.wait_for_selector("#random:visible")
    visit.page.click("#go")
    visit.phase("finished")
