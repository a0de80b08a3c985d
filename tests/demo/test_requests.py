"""The page's requests, over a real connection: tracking, correcting, comparing, downloading."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import requests

from alpharefine.geometry.boxes import box_iou
from alpharefine.types import Box
from tests.demo.serving import (
    BRIGHT,
    DIM,
    FRAMES,
    HIDDEN,
    SECONDS,
    SIZE,
    Page,
    picture,
    served,
    square,
    target,
    write_video,
)
from vot_integration.demo.studio import Studio
from vot_integration.sequences.checks import check_starts
from vot_integration.sequences.folder import read_list, read_sequence_folder


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch, served(patch, max_upload=0.4) as address:
        yield address


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("video") / "Zwei Quadrate, 名.avi")


@pytest.fixture
def page(address: str, video: Path) -> Iterator[Page]:
    with Page(address) as page:
        assert page.upload(video).status_code == 200
        page.until("ready")
        yield page


def overlap(found: dict, box: Box) -> float:
    return box_iou(Box(*found["box"]), box)


def test_what_is_found_comes_frame_by_frame(page: Page) -> None:
    assert page.state["clip"] == {
        "name": "Zwei_Quadrate_名",
        "count": FRAMES,
        "fps": 25,
        "size": list(SIZE),
        "open": False,
        "note": "",
    }
    page.track(**target())
    assert sorted(page.found) == list(range(FRAMES))
    for frame, [found] in page.found.items():
        assert found["lost"] == (frame in HIDDEN)
        if frame not in HIDDEN:
            assert overlap(found, square(frame, BRIGHT)) > 0.8
        assert bool(found["outlines"]) == (frame > 0 and frame not in HIDDEN)
    outline = np.array(page.found[3][0]["outlines"][0]).reshape(-1, 2)
    box = square(3, BRIGHT)
    np.testing.assert_allclose(outline.min(axis=0), (box.x, box.y), atol=2)
    np.testing.assert_allclose(outline.max(axis=0), (box.x + box.w, box.y + box.h), atol=2)
    # The newest picture comes for sure, and is that of its frame.
    newest = page.pictures[max(page.pictures)]
    assert np.abs(newest.astype(int) - picture(max(page.pictures))).mean() < 4


def test_a_correction_replaces_what_comes_after_it(page: Page) -> None:
    page.track(**target())
    page.track(**target(6, DIM))
    assert sorted(page.found) == list(range(FRAMES)) and list(page.state["marks"]) == ["0", "6"]
    assert overlap(page.found[5][0], square(5, BRIGHT)) > 0.8
    assert all(overlap(page.found[at][0], square(at, DIM)) > 0.8 for at in range(6, FRAMES))
    # Started over, both marks are taken again, by two trackers now.
    page.track("DiMPlite", "ARDiMP_lite")
    assert [lane["tracker"] for lane in page.state["lanes"]] == ["DiMPlite", "ARDiMP_lite"]
    assert [lane["masks"] for lane in page.state["lanes"]] == [False, True]
    for at, found in page.found.items():
        level = BRIGHT if at < 6 else DIM
        assert all(overlap(one, square(at, level)) > 0.8 for one in found)
        assert found[0]["outlines"] == []


def test_a_mark_before_all_that_was_found_begins_anew(page: Page) -> None:
    page.track(**target(8))
    assert sorted(page.found) == list(range(8, FRAMES))
    page.track(**target(2))
    assert sorted(page.found) == list(range(2, FRAMES)) and list(page.state["marks"]) == ["2"]


def test_pause_and_go_on(address: str, page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    take = Studio._step

    def take_and_pause(studio: Studio, image: object, index: int) -> None:
        take(studio, image, index)  # type: ignore[arg-type]
        if index == 4:
            studio._stop.set()

    monkeypatch.setattr(Studio, "_step", take_and_pause)
    page.track(until="paused", **target())
    assert sorted(page.found) == list(range(5)) and page.state["next"] == 5
    again = Page(address)
    again.base = page.base
    with again:
        again.until("paused")
        while len(again.found) < 5:
            again.listen()
        assert again.found == page.found, "a page that is loaded again is told all"
        again.ask("resume")
        again.until("finished")
        assert sorted(again.found) == list(range(FRAMES))


def test_a_tracker_that_fails_says_so_and_can_start_again(page: Page) -> None:
    page.track("DiMP50", until="failed", **target())
    assert page.state["message"] == "RuntimeError: the network exploded"
    assert sorted(page.found) == [0, 1]
    page.track("ARDiMP_lite")
    assert sorted(page.found) == list(range(FRAMES))


def test_a_point_proposes_targets(page: Page) -> None:
    x, y, w, h = square(2, DIM)
    proposals = page.ask("point", frame=2, x=x + w / 2, y=y + h / 2)["proposals"]
    assert len(proposals) == 2 and overlap(proposals[0], square(2, DIM)) > 0.8
    page.track(frame=2, proposal=0)
    assert page.found[2][0]["outlines"], "the mask that was proposed is the answer"
    assert overlap(page.found[9][0], square(9, DIM)) > 0.8
    nothing = page.post("point", frame=2, x=1, y=1)
    assert (nothing.status_code, nothing.json()["error"][:7]) == (404, "nothing")
    gone = page.post("start", trackers=["ARDiMP_lite"], frame=3, proposal=0)
    assert gone.status_code == 409 and "click the target again" in gone.json()["error"]


def fetch(page: Page, kind: str) -> tuple[str, bytes]:
    made = page.ask(f"downloads/{kind}")
    answer = requests.get(f"{page.base}/{made['url']}", timeout=SECONDS)
    assert answer.status_code == 200 and "attachment" in answer.headers["content-disposition"]
    return made["name"], answer.content


def test_downloads(page: Page, tmp_path: Path) -> None:
    page.track("ARDiMP_lite", "DiMPlite", **target(3))
    count = FRAMES - 3
    name, data = fetch(page, "overlay")
    assert name == "Zwei_Quadrate_名-ARDiMP_lite-DiMPlite.mp4"
    (tmp_path / "overlay.mp4").write_bytes(data)
    overlay = cv2.VideoCapture(str(tmp_path / "overlay.mp4"))
    frames = []
    while (read := overlay.read())[0]:
        frames.append(read[1])
    assert len(frames) == count
    x, y, w, h = map(int, square(7, BRIGHT))
    around = frames[4][y - 4 : y + h + 4, x - 4 : x + w + 4].astype(int)
    redness = around[..., 2] - around[..., 0]
    assert (redness > 40).any() and (redness < -40).any(), "an orange mask and a blue box"

    name, data = fetch(page, "masks")
    assert name == "Zwei_Quadrate_名-ARDiMP_lite-masks.zip"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [entry for entry in archive.namelist() if entry.endswith(".png")]
        pixels = np.frombuffer(archive.read(sorted(names)[4]), np.uint8)
    mask = cv2.imdecode(pixels, cv2.IMREAD_UNCHANGED)
    assert len(names) == count and mask is not None and set(np.unique(mask)) == {0, 255}
    assert mask[y + 10, x + 12] == 255 and mask[y + 10, x - 5] == 0

    name, data = fetch(page, "sequence")
    assert name == "Zwei_Quadrate_名-vot.zip"
    zipfile.ZipFile(io.BytesIO(data)).extractall(tmp_path)
    sequences = [read_sequence_folder(path) for path in read_list(tmp_path / name[:-4])]
    assert [each.length for each in sequences] == [count, count]
    for sequence in sequences:
        check_starts(sequence)
        empty = [at for at, region in enumerate(sequence.regions) if region.is_empty()]
        absent = [at - 3 for at in HIDDEN]
        # What answers boxes keeps its last one.
        assert empty == (absent if "ARDiMP" in sequence.name else [])


def test_downloads_that_cannot_be_made(page: Page) -> None:
    assert page.post("downloads/overlay").json()["error"].startswith("nothing is tracked yet")
    page.track("DiMPlite", **target())
    refused = page.post("downloads/masks")
    assert (refused.status_code, refused.json()["error"]) == (409, "DiMPlite answers no masks")
    assert page.post("downloads/weights").status_code == 404
    for path in ("downloads/0001/nothing.zip", "downloads/..%2F0001/x", "downloads/9999/x"):
        answer = requests.get(f"{page.base}/{path}", timeout=SECONDS)
        assert answer.status_code == 404, path


def test_frames_can_be_looked_at(page: Page) -> None:
    for frame in (12, 3, 4):
        answer = requests.get(f"{page.base}/frames/{frame}", timeout=SECONDS)
        image = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
        assert image is not None
        assert np.abs(image.astype(int) - picture(frame)).mean() < 4
    answer = requests.get(f"{page.base}/frames/{FRAMES}", timeout=SECONDS)
    assert (answer.status_code, answer.json()["error"]) == (404, "frame 17 cannot be read")


def jpeg(frame: int) -> bytes:
    return cv2.imencode(".jpg", picture(frame))[1].tobytes()


def test_a_webcam_is_tracked_as_its_frames_come(address: str) -> None:
    with Page(address) as page:
        page.ask("recording", fps=30)
        page.socket.send(jpeg(0))
        page.until("ready")
        while not page.state["clip"]["count"]:
            page.listen()
        page.ask("start", trackers=["ARDiMP_lite"], **target())
        for frame in range(1, 6):
            page.socket.send(jpeg(frame))
            while frame not in page.found:
                page.listen()
            assert overlap(page.found[frame][0], square(frame, BRIGHT)) > 0.8
        page.ask("recording/end")
        page.until("finished")
        # What was recorded can be corrected as a video can.
        page.track(**target(3, DIM))
        assert overlap(page.found[5][0], square(5, DIM)) > 0.8


def test_frames_of_a_webcam_that_cannot_be_used(address: str) -> None:
    other = np.zeros((SIZE[1], SIZE[0] + 2, 3), np.uint8)
    with Page(address) as page:
        for data, words in (
            (b"no picture", "no picture"),
            (cv2.imencode(".jpg", other)[1].tobytes(), "the size of its frames"),
        ):
            page.ask("recording", fps=30)
            page.socket.send(jpeg(0))
            page.socket.send(data)
            while not page.errors:
                page.listen()
            assert words in page.errors.pop()
        page.socket.send(jpeg(0))
        while not page.errors:
            page.listen()
        assert "nothing is recorded" in page.errors.pop()


def test_a_recording_ends_at_the_size_limit(address: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (400, 400, 3), np.uint8)
    data = cv2.imencode(".jpg", noise)[1].tobytes()
    with Page(address) as page:
        page.ask("recording", fps=30)
        for _ in range(400_000 // len(data) + 1):
            page.socket.send(data)
        while not page.errors:
            page.listen()
        assert page.errors == ["the recording has reached the size limit"]
        assert page.state["clip"]["count"] == 400_000 // len(data)


def test_built_in_sequences(address: str) -> None:
    with Page(address) as page:
        assert "fish" in page.opened["examples"]
        page.ask("example", name="fish")
        page.until("ready")
        assert (page.state["clip"]["name"], page.state["clip"]["count"]) == ("fish", 3)
        assert page.post("example", name="../fish").status_code == 404


BAD = {
    "text": (b"hello, this is no video", 400, "this is no video"),
    "empty": (b"", 400, "the file is empty"),
    "cut off": (None, 400, "the-video"),
    "playlist": (b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:1/x.ts\n", 400, "this is no video"),
    "too large": (b"\0\0\0\x18ftypmp42" + bytes(500_000), 413, "larger than 0.4 MB"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_uploads_are_one_line_and_leave_the_clip(
    case: str, page: Page, video: Path, tmp_path: Path
) -> None:
    data, status, words = BAD[case]
    file = tmp_path / "the-video.mp4"
    file.write_bytes(video.read_bytes()[:700] if data is None else data)
    answer = page.upload(file)
    error = answer.json()["error"]
    assert (answer.status_code, words in error, "\n" in error) == (status, True, False), error
    assert str(tmp_path) not in error and ".video" not in error
    page.track(**target())
    assert len(page.found) == FRAMES


def test_a_body_that_does_not_tell_its_size_is_limited(page: Page) -> None:
    parts = (bytes(100_000) for _ in range(10))
    answer = requests.post(f"{page.base}/video", data=parts, timeout=SECONDS)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("path", "fields", "status", "words"),
    [
        ("start", {"trackers": ["ARDiMP_lite"]}, 409, "mark the target first"),
        ("start", {"trackers": ["ARDiMP_lite"], "frame": 0, "box": [1, 2, 0, 3]}, 400, "empty"),
        ("start", {"trackers": ["ARDiMP_lite"], "frame": 0, "box": [900, 2, 5, 3]}, 400, "outside"),
        (
            "start",
            {"trackers": ["DiMPlite"], "frame": 99, "box": [1, 2, 5, 3]},
            400,
            "frame 100",
        ),
        ("start", {"trackers": ["ARDiMP_lite"], "frame": 0, "box": [1, 2, 5]}, 400, "four numbers"),
        ("start", {"trackers": ["ARDiMP_lite"], "frame": 0, "box": list("abcd")}, 400, "number"),
        ("start", {"trackers": [], **target()}, 400, "choose one tracker"),
        ("start", {"trackers": ["DiMPlite", "DiMPlite"], **target()}, 400, "two different"),
        ("start", {"trackers": "DiMPlite", **target()}, 400, "names no trackers"),
        ("resume", {}, 409, "nothing is paused"),
        ("point", {"frame": 0, "x": "left", "y": 3}, 400, "x is not a number"),
        ("recording", {}, 400, "fps is not a number"),
    ],
)
def test_bad_requests_are_one_line(
    path: str, fields: dict, status: int, words: str, page: Page
) -> None:
    answer = page.post(path, **fields)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert words in error and "\n" not in error


def test_requests_at_the_wrong_time(address: str, video: Path) -> None:
    with Page(address) as page:
        refused = page.post("start", trackers=["ARDiMP_lite"], **target())
        assert (refused.status_code, "no video yet" in refused.text) == (409, True)
        page.ask("recording", fps=30)
        page.socket.send(jpeg(0))
        page.until("ready")
        while not page.state["clip"]["count"]:
            page.listen()
        page.ask("start", trackers=["ARDiMP_lite"], **target())
        page.until("tracking")
        assert "it is tracking" in page.upload(video).json()["error"]
        assert "it is tracking" in page.post("start", trackers=["DiMPlite"]).json()["error"]
        page.ask("pause")
        page.until("paused")
        assert page.upload(video).status_code == 200
        page.until("ready")
    assert requests.post(f"{address}api/pages/nobody/pause", timeout=SECONDS).status_code == 410
    text = requests.post(f"{page.base}/start", data="{", timeout=SECONDS)
    assert (text.status_code, text.json()["error"]) == (400, "the request is no JSON")
