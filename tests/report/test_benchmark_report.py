"""The report of one-pass scores."""

import re
from pathlib import Path

import pytest

from tests.onepass.test_score import ROWS, write
from vot_integration.cli import main
from vot_integration.report.benchmark_document import published_scores


def test_trackers_stand_side_by_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {f"set/{n[:3]}/{n}/groundtruth.txt": ROWS for n in ("car-1", "dog-2")}
    files["set/att/car-1.txt"] = ",".join(["1"] + ["0"] * 13)
    for name, rows in (("Exact", ROWS), ("Far<b>", ROWS.replace("10,20", "200,20"))):
        files |= {f"r/{name}/{n}.txt": rows for n in ("car-1", "dog-2")}
    files["r/Exact/record.json"] = '{"weights": "mine", "environment": {"Python": "9.9"}}'
    write(tmp_path, files)
    arguments = [str(tmp_path / "r"), "--truth", str(tmp_path / "set"), "--layout", "lasot"]
    assert main(["benchmark", "report", *arguments]) == 0
    page = (tmp_path / "r" / "benchmark.html").read_text()
    assert "convention <b>official</b>, that of\nthe LaSOT toolkit" in page
    assert "95.24" in page and "Far&lt;b&gt;" in page and "Far<b>" not in page
    assert "AUC of the sequences with each attribute" in page
    assert "mine" in page and "9.9" in page
    assert "Published results" not in page
    assert not re.search(r'(src|href)="(?!data:)', page), "needs no other file"
    assert main(["benchmark", "report", *arguments, "-o", str(tmp_path / "no" / "a.html")]) == 2
    assert "--output" in capsys.readouterr().err


def test_published_rows_are_of_the_whole_official_set_alone() -> None:
    rows = published_scores("lasot", "official", 280)
    assert ("SuperDiMP", 0.631, "pytracking") in [(r.tracker, r.value, r.convention) for r in rows]
    assert all("MODEL_ZOO" in row.source for row in rows)
    assert published_scores("trackingnet", "official", 511)[0].convention == "official"
    for layout, convention, count in (
        ("lasot", "official", 279),
        ("lasot", "pysot", 280),
        ("tc128", "official", 128),
    ):
        assert published_scores(layout, convention, count) == []
