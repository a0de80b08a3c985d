"""Archives for servers: written whole, and faults that servers do not tell."""

import zipfile
from pathlib import Path

import pytest

from tests.onepass.test_score import ROWS, write
from tests.outside import data_folder
from vot_integration.cli import main

TRUTH = {"TEST/anno/Ab1_0.txt": ROWS, "TEST/anno/Cd2_0.txt": ROWS}


def archive(file: Path, entries: dict[str, str]) -> Path:
    with zipfile.ZipFile(file, "w") as made:
        for name, text in entries.items():
            made.writestr(name, text)
    return file


def check(file: Path, *options: str) -> int:
    return main(["benchmark", "check", str(file), *options])


def test_trackingnets_example_is_scored_and_its_gaps_are_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    golden = data_folder("../golden/trackingnet")
    options = ["--for", "trackingnet", "--truth", str(golden / "dummy_GT.zip")]
    assert check(golden / "dummy_subm.zip", *options) == 2
    shown = capsys.readouterr().out
    assert "1 of 9 sequences are missing, such as a9jgDU5THOU_0" in shown
    assert "a8v0k4Bz_QA_0: 432 rows for 480 frames" in shown
    assert "88.08" in shown and "87.80" in shown


def test_got10k_is_packed_as_its_server_takes_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = [f"GOT-10k_Test_{number:06d}" for number in range(1, 181)]
    write(tmp_path, {f"Mine/{name}.txt": ROWS for name in names})
    write(tmp_path, {f"Mine/{name}_time.txt": "0.5\n" * 3 for name in names})
    assert main(["benchmark", "pack", "Mine", "--for", "got10k"]) == 0
    with zipfile.ZipFile("Mine.zip") as made:
        assert len(made.namelist()) == 360
        rows = made.read(f"{names[0]}/{names[0]}_001.txt").decode()
        assert rows.startswith("10.0000,20.0000,30.0000,40.0000\n")
    assert check(Path("Mine.zip")) == 0
    (tmp_path / "Mine" / f"{names[7]}.txt").unlink()
    assert main(["benchmark", "pack", "Mine", "--for", "got10k", "-o", "b.zip"]) == 2
    assert "GOT-10k_Test_000008" in capsys.readouterr().err
    assert not Path("b.zip").exists() and not list(tmp_path.glob(".*"))


def test_what_is_not_whole_is_not_packed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, {"Mine/Ab1_0.txt": ROWS})
    pack = ["benchmark", "pack", str(tmp_path / "Mine"), "--for", "trackingnet"]
    assert main([*pack, "-o", str(tmp_path / "a.zip")]) == 2
    assert "results of 1 sequences, and the test set of TrackingNet has 511" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("entries", "fault"),
    [
        ({"Ab1_0.txt": ROWS}, "1 of 2 sequences are missing, such as Cd2_0"),
        (
            {"Ab1_0.txt": ROWS.replace(",", " "), "Cd2_0.txt": ROWS},
            "Ab1_0: not x,y,w,h with commas",
        ),
        ({"Ab1_0.txt": ROWS * 2, "Cd2_0.txt": ROWS}, "Ab1_0: 6 rows for 3 frames"),
        ({"Ab1_0.txt": ROWS, "xAb1_0.txt": ROWS, "Cd2_0.txt": ROWS}, "Ab1_0: 2 files match it"),
        ({"Ab1_0.txt": "nan,1,1,1\n" * 3, "Cd2_0.txt": ROWS}, "Ab1_0: 3 rows with NaN"),
        ({"Ab1_0.txt": "1,1,-1,1\n" * 3, "Cd2_0.txt": ROWS}, "Ab1_0: 3 rows of negative size"),
        ({"Ab1_0.txt": "a,1,1,1\n" * 3, "Cd2_0.txt": ROWS}, "Ab1_0: not all numbers"),
        ({"Ab1_0.txt": ROWS, "b/Cd2_0.txt": ROWS}, "files lie at different depths"),
        ({"Ab1_0.txt": ROWS, "Cd2_0.txt": ROWS, "Zz.txt": ROWS}, "1 files belong to no sequence"),
    ],
)
def test_faults_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], entries: dict[str, str], fault: str
) -> None:
    write(tmp_path / "truth", TRUTH)
    options = ["--for", "trackingnet", "--truth", str(tmp_path / "truth")]
    assert check(archive(tmp_path / "a.zip", entries), *options) == 2
    assert fault in capsys.readouterr().out


def test_a_folder_of_the_trackers_name_is_nothing_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "truth", TRUTH)
    entries = {f"Mine/{name}/{name}.txt": ROWS for name in ("Ab1_0", "Cd2_0")}
    options = ["--for", "trackingnet", "--truth", str(tmp_path / "truth")]
    assert check(archive(tmp_path / "a.zip", entries), *options) == 0
    assert "is as the server of TrackingNet takes it" in capsys.readouterr().out


def test_times_of_got10k_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "GOT-10k_Test_000001"
    entries = {f"{name}/{name}_001.txt": ROWS, f"{name}/{name}_time.txt": "1\n1\n"}
    assert check(archive(tmp_path / "a.zip", entries)) == 2
    shown = capsys.readouterr().out
    assert f"{name}: 2 times for 3 rows of boxes" in shown
    assert "179 of 180 sequences are missing" in shown


def test_what_is_no_archive_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.zip").write_text("x")
    assert check(tmp_path / "a.zip") == 2
    assert check(tmp_path / "b.zip") == 2
    shown = capsys.readouterr().err.splitlines()
    assert "neither a folder nor a zip file" in shown[0] and "there is no file" in shown[1]
