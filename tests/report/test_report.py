"""The report of real results: numbers equal to the toolkit's, one file, pictures in a browser."""

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.toolkit.make import RECORD, Recorder, make_sequences, make_workspace
from vot_integration.cli import main
from vot_integration.evaluation.evaluate import analyze, evaluate
from vot_integration.pipeline.results import evaluated_trackers
from vot_integration.report.collect import collect, published_rows, read_sequences
from vot_integration.report.document import Report, make_report, render
from vot_integration.report.measures import combine
from vot_integration.report.strips import choose_frames, make_strip
from vot_integration.toolkit.scores import read_scores
from vot_integration.workspaces.records import describe_environment
from vot_integration.workspaces.workspace import Workspace

TRACKERS = ("wanders", "oracle")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Results of two trackers, all three experiments."""
    folder = tmp_path_factory.mktemp("report")
    sequences = make_sequences(folder / "sequences", ("one", "two", "three"))
    made = make_workspace(folder / "w", sequences, ["baseline", "realtime", "unsupervised"])
    for tracker in TRACKERS:
        evaluate(made, tracker, Recorder())
        analyze(made, tracker)
    return made


@pytest.fixture(scope="module")
def report(workspace: Workspace) -> Report:
    return make_report(workspace, TRACKERS)


@pytest.mark.parametrize("tracker", TRACKERS)
def test_measures_are_the_toolkits(workspace: Workspace, tracker: str) -> None:
    official = read_scores(workspace.analysis(tracker))
    for results in collect(workspace, tracker, read_sequences(workspace)):
        if results.measures:
            assert workspace.interval is not None
            own = combine(results.measures, workspace.interval)
            expected = official[results.name]
            assert own.eao == pytest.approx(expected.eao, abs=1e-9)
            assert own.accuracy == pytest.approx(expected.accuracy, abs=1e-9)
            assert own.robustness == pytest.approx(expected.robustness, abs=1e-9)


def test_overlaps_are_kept_but_not_for_changed_results(workspace: Workspace) -> None:
    sequences = read_sequences(workspace)
    kept = set((workspace.folder / "cache" / "overlaps").iterdir())
    list(collect(workspace, "oracle", sequences))
    assert set((workspace.folder / "cache" / "overlaps").iterdir()) == kept
    folder = workspace.results("wanders") / "baseline" / "one"
    first, other = folder / "one_00000000.bin", folder / "one_00000011.bin"
    content = first.read_bytes()
    try:
        first.write_bytes(other.read_bytes())
        [results, *_] = collect(workspace, "wanders", sequences)
        assert not np.array_equal(
            results.runs["one"][0].overlaps, results.runs["one"][1].overlaps[::-1]
        )
        assert set((workspace.folder / "cache" / "overlaps").iterdir()) > kept
    finally:
        first.write_bytes(content)


def test_a_tracker_named_twice_is_taken_once(workspace: Workspace) -> None:
    assert evaluated_trackers(workspace, ["oracle", "wanders", "oracle"]) == ["oracle", "wanders"]


def test_rows(report: Report) -> None:
    rows = {(row.tracker, row.experiment): row for row in report.rows}
    assert len(rows) == 6 and all(row.agrees for row in rows.values())
    perfect = rows["oracle", "baseline"]
    assert perfect.own is not None and perfect.own.eao == 1
    assert perfect.eao_interval is not None and perfect.eao_interval.low == pytest.approx(1)
    assert (perfect.failures, perfect.runs, perfect.skips) == (0, 6, None)
    assert rows["oracle", "realtime"].skips is not None
    assert rows["oracle", "unsupervised"].own is None


def test_strip_shows_answer_and_truth(workspace: Workspace) -> None:
    sequences = read_sequences(workspace)
    [results, *_] = collect(workspace, "wanders", sequences)
    pictures = make_strip(workspace, "wanders", results, sequences[0], (255, 0, 0))
    assert [picture.frame for picture in pictures] == [0, 2, 4, 7, 9, 11]
    assert pictures[0].overlap is None and 0 <= (pictures[-1].overlap or 0) < 1
    image = cv2.imdecode(np.frombuffer(pictures[3].jpeg, np.uint8), cv2.IMREAD_COLOR)
    blue, green, red = cv2.split(image.astype(int))
    assert ((red - green > 90) & (red - blue > 90)).any()
    assert ((green - red > 60) & (green - blue > 60)).any()


def test_frames_of_a_strip() -> None:
    assert choose_frames(100, []) == [0, 20, 40, 59, 79, 99]
    assert choose_frames(100, [43]) == [0, 20, 43, 59, 79, 99]
    assert choose_frames(100, [2]) == [0, 2, 40, 59, 79, 99]
    assert choose_frames(2, []) == [0, 1]


class References(HTMLParser):
    """Addresses that a page refers to, and tags that were never closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for key, value in attributes if key in ("src", "href")]
        if tag not in ("img", "meta", "link", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_page_stands_alone(report: Report) -> None:
    page = render(report)
    references = References(page)
    assert not references.open
    assert references.addresses and all(a.startswith("data:image/") for a in references.addresses)
    assert "<script" not in page and "http://" not in re.sub(r"data:[^\"]*", "", page)
    for word in (
        "wanders",
        "oracle",
        "95 % interval",
        RECORD.weights,
        RECORD.sha256[:12],
    ):
        assert word in page


def test_environment_names_what_results_depend_on() -> None:
    facts = describe_environment()
    assert {"arvot", "Python", "torch", "vot-toolkit", "processor"} <= facts.keys()
    assert all(facts.values())


def test_names_cannot_break_the_page(report: Report) -> None:
    from dataclasses import replace

    page = render(replace(report, title="<script>alert(1)</script>"))
    assert "<script" not in page and "&lt;script&gt;" in page


def test_published_rows_only_for_official_data(workspace: Workspace, tmp_path: Path) -> None:
    assert published_rows(workspace) == []
    sequences = make_sequences(tmp_path / "sequences")
    for name in ("dark", "bright"):
        with (sequences / name / "sequence").open("a") as properties:
            properties.write("uid=0123456789abcdef\n")
    official = make_workspace(tmp_path / "w", sequences, interval=(115, 755))
    rows = published_rows(official)
    assert [(row.experiment, row.eao) for row in rows] == [
        ("baseline", 0.493),
        ("realtime", 0.499),
        ("baseline", 0.482),
        ("realtime", 0.486),
    ]
    assert all(row.source for row in rows)
    own_interval = make_workspace(tmp_path / "w2", sequences, interval=(30, 100))
    assert published_rows(own_interval) == []


def test_commands(workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--workspace", str(workspace.folder)]
    output = tmp_path / "both.html"
    assert main(["report", *TRACKERS, *where, "-o", str(output)]) == 0
    assert f"report: {output}" in capsys.readouterr().out
    assert "Sequence by sequence" in output.read_text()
    assert (workspace.folder / "reports" / "wanders+oracle" / "report.html").is_file()
    assert main(["compare", "oracle", "wanders", *where]) == 0
    shown = capsys.readouterr().out
    assert "EAO" in shown and "clear" in shown and "bootstrap over the 3 sequences" in shown
    assert "Difference: oracle minus wanders" in shown
    assert "With so few sequences even a difference called clear may be chance" in shown
    assert main(["compare", "oracle", "wanders", *where, "--experiments", "unsupervised"]) == 0
    shown = capsys.readouterr().out
    assert "Accuracy" in shown and "No intervals" in shown and "EAO" not in shown
    assert main(["analyze", "oracle", *where, "--experiments", "unsupervised"]) == 0
    shown = capsys.readouterr().out
    assert "Speed: measured in baseline, which is not among" in shown
    assert "EAO interval" not in shown
    scores = tmp_path / "scores.json"
    assert main(["analyze", "oracle", *where, "--json", str(scores)]) == 0
    assert json.loads(scores.read_text())["experiments"]["baseline"]["eao"] == 1.0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["report", "nobody"], "unknown tracker 'nobody'"),
        (["report", "oracle", "-o", "/no/such/folder/a.html"], "no folder"),
        (["report", "oracle", "--experiments", "supervised"], "supervised is not in stack"),
        (["compare", "oracle", "explodes"], "explodes has 0 of"),
        (
            ["analyze", "explodes"],
            "not complete: baseline, realtime, unsupervised; run `arvot evaluate explodes --work",
        ),
        (["compare", "oracle", "oracle"], "two different trackers, not oracle twice"),
        (["analyze", "--json", "x.json"], "--json takes one tracker"),
    ],
)
def test_bad_input_is_one_line(
    workspace: Workspace, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--workspace", str(workspace.folder)]) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian: chromium)")
@pytest.mark.parametrize("width", [1400, 390])
def test_page_in_a_browser(report: Report, tmp_path: Path, width: int) -> None:
    """Nothing sticks out sideways or must be scrolled to, and every picture can be decoded."""
    page = tmp_path / "report.html"
    # The page itself says what the browser made of it, in its title.
    probe = (
        "<script>const images = [...document.images];"
        "images.forEach(image => { image.loading = 'eager'; });"
        "addEventListener('load', () => {"
        "const bad = images.filter(image => !image.complete || !image.naturalWidth);"
        "const root = document.documentElement;"
        "const boxes = [root, ...document.querySelectorAll('.scroll')];"
        "const overhangs = boxes.map(box => box.scrollWidth - box.clientWidth);"
        "document.title = `PROBE ${images.length} ${bad.length} ${Math.max(...overhangs)}`;"
        "});</script>"
    )
    page.write_text(render(report).replace("</body>", probe + "</body>"))
    picture = tmp_path / "page.png"
    assert CHROMIUM is not None
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    command += [f"--window-size={width},2400", "--virtual-time-budget=20000"]
    dump = subprocess.run(
        [*command, "--dump-dom", page.as_uri()], capture_output=True, text=True, timeout=180
    )
    found = re.search(r"PROBE (\d+) (\d+) (-?\d+)", dump.stdout)
    assert found is not None, dump.stderr
    images, undecodable, overhang = map(int, found.groups())
    assert images > 20 and undecodable == 0 and overhang <= 0
    subprocess.run(
        [*command, f"--screenshot={picture}", page.as_uri()],
        capture_output=True,
        check=True,
        timeout=180,
    )
    shot = cv2.imread(str(picture))
    assert shot is not None and shot.shape[1] == width and shot.std() > 10
