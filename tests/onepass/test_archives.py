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
    assert "a8v0k4Bz_QA_0 (432 rows for 480 frames)" in shown
    assert "88.08" in shown and "87.80" in shown


def test_got10k_is_packed_as_its_server_takes_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = GOT10K
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
            "not x,y,w,h with commas get no score: Ab1_0 ('10 20 30 40')",
        ),
        (
            {"Ab1_0.txt": ROWS * 2, "Cd2_0.txt": ROWS},
            "wrong number of rows: Ab1_0 (6 rows for 3 frames)",
        ),
        (
            {"Ab1_0.txt": ROWS, "xAb1_0.txt": ROWS, "Cd2_0.txt": ROWS},
            "several files, so none is taken: Ab1_0 (2 files)",
        ),
        (
            {"Ab1_0.txt": "nan,1,1,1\n" * 3, "Cd2_0.txt": ROWS},
            "rows with NaN or infinity: Ab1_0 (3 rows)",
        ),
        (
            {"Ab1_0.txt": "1,1,-1,1\n" * 3, "Cd2_0.txt": ROWS},
            "rows with a negative side: Ab1_0 (3 rows)",
        ),
        ({"Ab1_0.txt": "a,1,1,1\n" * 3, "Cd2_0.txt": ROWS}, "not all numbers get no score: Ab1_0"),
        ({"Ab1_0.txt": ROWS, "b/Cd2_0.txt": ROWS}, "at different depths: Ab1_0.txt, b/Cd2_0.txt"),
        (
            {"Ab1_0.txt": ROWS, "Cd2_0.txt": ROWS, "Zz.txt": ROWS},
            "no sequence by their names: Zz.txt",
        ),
        ({"Ab1_0.txt": "1,2,0,0\n" * 3, "Cd2_0.txt": ROWS}, "an extent score zero: Ab1_0"),
        ({"Ab1_0.txt": "\n", "Cd2_0.txt": ROWS}, "files without a row: Ab1_0"),
        (
            {f"a/b/{name}.txt": ROWS for name in ("Ab1_0", "Cd2_0")},
            "deeper than TRACKER/SEQUENCE/: a/b/Ab1_0.txt, a/b/Cd2_0.txt",
        ),
        ({"x.txt": ROWS}, "2 of 2 sequences are missing, such as Ab1_0, Cd2_0"),
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


GOT10K = [f"GOT-10k_Test_{number:06d}" for number in range(1, 181)]


def test_a_fault_of_many_sequences_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = ROWS.replace(",", " ")
    entries = {f"{name}/{name}_001.txt": rows for name in GOT10K}
    entries |= {f"{name}/{name}_time.txt": "1,1,1\n" * 3 for name in GOT10K[1:]}
    entries[f"{GOT10K[1]}/{GOT10K[1]}_time.txt"] = "1\n" * 5
    assert check(archive(tmp_path / "a.zip", entries)) == 2
    spaces, times, untimed = capsys.readouterr().out.splitlines()
    assert "with commas get no score: 180, such as GOT-10k_Test_000001 (" in spaces
    assert times.endswith("number of times: GOT-10k_Test_000002 (5 times for 3 rows of boxes)")
    assert untimed == (
        "Note: no times in SEQUENCE_time.txt, so no speed is shown: GOT-10k_Test_000001"
    )


def test_files_of_got10k_have_folders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entries = {f"{name}_001.txt": ROWS for name in GOT10K}
    assert check(archive(tmp_path / "a.zip", entries)) == 2
    shown = capsys.readouterr().out
    assert "not in a folder of the sequence's name: 180, such as GOT-10k_Test_000001" in shown
    entries = {f"Mine/{name}/{name}_{run:03d}.txt": ROWS for name in GOT10K for run in (1, 2, 3)}
    assert check(archive(tmp_path / "a.zip", entries)) == 0
    assert "Note: no times in SEQUENCE_time.txt" in capsys.readouterr().out


def test_a_truth_that_is_partly_hidden(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "truth", {**TRUTH, "TEST/anno/Cd2_0.txt": "10,20,30,40\n"})
    options = ["--for", "trackingnet", "--truth", str(tmp_path / "truth")]
    entries = {"Ab1_0.txt": ROWS, "Cd2_0.txt": ROWS}
    assert check(archive(tmp_path / "a.zip", entries), *options) == 0
    assert "1 sequences have their first box alone as truth" in capsys.readouterr().out


def test_results_that_no_server_takes_are_not_packed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, {"Val/GOT-10k_Val_000001.txt": ROWS})
    pack = ["benchmark", "pack", str(tmp_path / "Val"), "--for", "got10k"]
    assert main([*pack, "-o", str(tmp_path / "a.zip")]) == 2
    assert "validation set, whose truth is public" in capsys.readouterr().err
    write(tmp_path, {f"Mine/{name}.txt": ROWS for name in GOT10K})
    pack[2] = str(tmp_path / "Mine")
    (tmp_path / "truth.zip").touch()
    output = ["-o", str(tmp_path / "a.zip")]
    assert main([*pack, *output, "--data", str(tmp_path / "truth.zip")]) == 2
    assert "unpack it" in capsys.readouterr().err
    write(tmp_path, {f"Mine/{GOT10K[0]}_time.txt": "1\n"})
    assert main([*pack, *output]) == 2
    assert "1 times for 3 boxes" in capsys.readouterr().err
    (tmp_path / "Mine" / f"{GOT10K[0]}_time.txt").unlink()
    assert main([*pack, *output]) == 0
    assert "Note: 180 sequences have no times" in capsys.readouterr().out


def test_what_is_no_archive_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.zip").write_text("x")
    assert check(tmp_path / "a.zip") == 2
    assert check(tmp_path / "b.zip") == 2
    shown = capsys.readouterr().err.splitlines()
    assert "neither a folder nor a zip file" in shown[0] and "there is no file" in shown[1]
