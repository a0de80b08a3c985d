import hashlib
import re
from dataclasses import replace

import pytest
import torch

from alpharefine.nets import registry
from alpharefine.weights.files import open_weights, write_weights
from tests.weights.official_files import tiny_state, write_official
from vot_integration.cli import main

pytestmark = pytest.mark.usefixtures("tiny_kinds")


def test_convert_names_both_sha256(tmp_path, capsys):
    source = write_official(tmp_path / "net.pth.tar", tiny_state())
    out = tmp_path / "out.safetensors"
    assert main(["weights", "convert", str(source), "--as", "tiny", "-o", str(out)]) == 0
    output = capsys.readouterr().out
    for path in (source, out):
        assert str(path) in output
        assert f"sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}" in output


def test_without_output_a_tracker_finds_it_by_name(tmp_path, cache, capsys):
    source = write_official(tmp_path / "net.pth.tar", tiny_state())
    (cache / "tiny.safetensors").unlink(missing_ok=True)
    assert main(["weights", "convert", str(source), "--as", "tiny"]) == 0
    assert list(open_weights(cache / "tiny.safetensors").parts) == ["tiny"]


def test_list_says_what_is_there(cache, capsys):
    write_weights(cache / "tiny.safetensors", {"tiny": tiny_state()}, {})
    assert main(["weights", "list"]) == 0
    output = capsys.readouterr().out
    assert "super_dimp: not on this machine" in output
    assert "to get it: download super_dimp.pth.tar from the authors' model zoo" in output
    assert "  for: ARDiMP_lite, ARSiamRPN_lite (with siamrpn_lite), " in output
    assert "  for: ARDiMP_v20 (with ar_v20), ARDiMP_c21 (with ar_c21_r34), DiMPsuper\n" in output
    assert "  for: alpharefine.refined(tracker, network='ar_c21_r18')\n" in output
    assert f"tiny: {cache / 'tiny.safetensors'}" in output
    assert f"cache: {cache}" in output


def test_info(tmp_path, capsys):
    source = write_official(tmp_path / "net.pth.tar", tiny_state())
    assert main(["weights", "info", str(source)]) == 0
    assert "network DiMPnet, epoch 40, 10 entries" in capsys.readouterr().out
    out = tmp_path / "out.safetensors"
    write_weights(out, {"tiny": tiny_state()}, {"tiny": {"source": "[bold]x\x1b[2J\n"}})
    assert main(["weights", "info", str(out)]) == 0
    output = capsys.readouterr().out
    assert "tiny: 10 entries" in output and "source: [bold]x\\x1b[2J\\n\n" in output


def test_info_on_files_of_any_layout(tmp_path, capsys):
    state = tiny_state()
    first = next(iter(state))
    layouts = {
        "plain": (state, f"the file's own mapping: 10 entries, .*: {re.escape(first)} \\["),
        "siamese": ({"state_dict": state, "epoch": 19}, "state_dict: 10 entries.*\n  epoch: 19\n"),
        "parts": (
            {"model": {"conv": state, "fc": {"w": torch.zeros(2, 3)}}},
            r"model.fc: 1 entries",
        ),
    }
    for name, (content, said) in layouts.items():
        torch.save(content, tmp_path / f"{name}.pth")
        assert main(["weights", "info", str(tmp_path / f"{name}.pth")]) == 0
        assert re.search(said, capsys.readouterr().out), name
    for content, said in (({"epoch": 3}, "only: epoch"), ([1, 2], "but a list")):
        torch.save(content, tmp_path / "none.pth")
        assert main(["weights", "info", str(tmp_path / "none.pth")]) == 2
        assert said in capsys.readouterr().err


def test_merge(tmp_path):
    files = []
    for kind in ("tiny", "small"):
        files.append(str(tmp_path / f"{kind}.safetensors"))
        write_weights(tmp_path / f"{kind}.safetensors", {kind: tiny_state()}, {})
    assert main(["weights", "merge", *files, "-o", str(tmp_path / "both.safetensors")]) == 0
    assert list(open_weights(tmp_path / "both.safetensors").parts) == ["tiny", "small"]


def test_official_file_fetched_by_hand(tmp_path, cache, capsys):
    source = write_official(tmp_path / "net.pth.tar", tiny_state())
    assert main(["weights", "path", "tiny"]) == 2
    assert "needs a browser" in capsys.readouterr().err
    assert main(["weights", "fetch", "tiny", "--from", str(source)]) == 0
    capsys.readouterr()
    assert main(["weights", "path", "tiny"]) == 0
    assert capsys.readouterr().out == f"{cache / 'tiny.safetensors'}\n"
    assert main(["weights", "verify", "tiny"]) == 0
    assert "tiny: good, sha256" in capsys.readouterr().out


def test_own_file_fetched_by_hand(tmp_path, cache):
    source = tmp_path / "elsewhere.safetensors"
    write_weights(source, {"tiny": tiny_state()}, {})
    assert main(["weights", "fetch", "tiny", "--from", str(source)]) == 0
    assert (cache / "tiny.safetensors").read_bytes() == source.read_bytes()


def spoil_sha256(spec, state, monkeypatch):
    monkeypatch.setitem(registry.WEIGHTS, "tiny", replace(spec, sha256="0" * 64))


def spoil_shape(spec, state, monkeypatch):
    state["conv.bias"] = state["conv.bias"][:1]


def spoil_value(spec, state, monkeypatch):
    state["conv.bias"].fill_(float("nan"))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (spoil_sha256, "its sha256 is"),
        (spoil_shape, "mismatched"),
        (spoil_value, "NaN or infinite"),
    ],
)
def test_damage_is_found_and_not_taken(spoil, message, tmp_path, cache, capsys, monkeypatch):
    state = tiny_state()
    spoil(registry.WEIGHTS["tiny"], state, monkeypatch)
    for file in (cache / "tiny.safetensors", tmp_path / "fetched.safetensors"):
        write_weights(file, {"tiny": state}, {})
    assert main(["weights", "verify", "tiny"]) == 1
    assert message in capsys.readouterr().out
    (cache / "tiny.safetensors").unlink()
    assert main(["weights", "fetch", "tiny", "--from", str(tmp_path / "fetched.safetensors")]) == 2
    assert message in capsys.readouterr().err and not (cache / "tiny.safetensors").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["convert", "absent.pth.tar", "--as", "tiny"],
            "there is no file absent.pth.tar: give a .pth",
        ),
        (["convert", "x.safetensors", "--as", "tiny"], "there is no file x.safetensors"),
        (["convert", "absent.pth.tar", "--as", "resnet"], "invalid choice: 'resnet'"),
        (["convert", "absent.pth.tar"], "--as"),
        (["info", "absent.pth.tar"], "there is no file absent.pth.tar"),
        (["info", "absent.safetensors"], "no such file"),
        (["merge", "absent.safetensors", "-o", "x.safetensors"], "no such file"),
        (["fetch", "tiny"], "needs a browser"),
        (["fetch", "tiny", "--from", "absent"], "there is no file absent: name the file"),
        (["fetch", "nobody"], "invalid choice: 'nobody'"),
        (["verify", "nobody"], "unknown weights 'nobody'"),
        (["verify", "tiny"], "not on this machine"),
        (["polish"], "invalid choice: 'polish'"),
        ([], "COMMAND"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["weights", *arguments]) == 2
    captured = capsys.readouterr()
    assert message in captured.err and captured.err.count("\n") == 1 and not captured.out
    assert not list(tmp_path.glob("*.safetensors"))


def test_converted_files_are_not_converted_again(tmp_path, capsys):
    source = tmp_path / "tiny.safetensors"
    write_weights(source, {"tiny": tiny_state()}, {})
    assert main(["weights", "convert", str(source), "--as", "tiny"]) == 2
    words = f"is converted already: if it holds tiny, `arvot weights fetch tiny --from {source}`"
    assert words in capsys.readouterr().err


def test_a_damaged_file_is_to_be_replaced(cache, capsys, monkeypatch):
    monkeypatch.setitem(
        registry.WEIGHTS, "tiny", replace(registry.WEIGHTS["tiny"], sha256="0" * 64)
    )
    write_weights(cache / "tiny.safetensors", {"tiny": tiny_state()}, {})
    assert main(["weights", "verify", "tiny"]) == 1
    assert "; delete it, then download super_dimp.pth.tar" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["list", "fetch", "verify", "path", "info", "convert", "merge"])
def test_help_has_examples_and_a_word_on_each_argument(command, capsys):
    with pytest.raises(SystemExit):
        main(["weights", command, "--help"])
    usage, _, rest = capsys.readouterr().out.partition("\n\n")
    arguments, _, examples = rest.partition("examples:\n")
    assert f"arvot weights {command}" in examples
    for name in re.findall(r"(?<!-)\b(?:FILE|NAME|OUT)\b", usage):
        assert re.search(rf"^  (-.* )?{name}\S*\s+[a-z.]", arguments, re.MULTILINE)


def test_hostile_file_is_one_line_and_exit_2(tmp_path, capsys):
    (tmp_path / "net.pth.tar").write_bytes(b"cos\nsystem\n(S'touch ran'\ntR.")
    out = tmp_path / "out.safetensors"
    assert main(["weights", "convert", str(tmp_path), "--as", "tiny", "-o", str(out)]) == 2
    error = capsys.readouterr().err
    assert "names os.system, which is not allowed; nothing of it was run" in error
    assert error.count("\n") == 1 and not out.exists()
