import errno
import hashlib
import json
import os
from pathlib import Path

import pytest
import safetensors
import safetensors.torch
import torch

from alpharefine.errors import UsageError
from alpharefine.nets.registry import NETWORKS, build_network
from alpharefine.nets.spec import rename_entry
from alpharefine.weights.convert import OFFICIAL, convert
from alpharefine.weights.files import merge_weights, open_weights, write_weights
from alpharefine.weights.store import load_weights, resolve_weights
from tests.weights.official_files import tiny_state, write_official

MANIFESTS = {
    "super_dimp": "super_dimp",
    "ar_v20": "ARnet_seg_mask_vot2020_384",
    "ar_c21_r34": "SEcm_r34_cvpr2021",
    "ar_c21_r18": "SEcm_r18_cvpr2021_inferred",
}
PARITY = Path(__file__).resolve().parents[3] / "shared" / "parity"


def manifest_state(kind):
    path = PARITY / "manifests" / f"{MANIFESTS[kind]}.json"
    if not path.is_file():
        pytest.skip(f"no manifests of the official files: {PARITY} is absent")
    generator = torch.Generator().manual_seed(1)
    return {
        entry["name"]: torch.rand(entry["shape"], generator=generator)
        if entry["dtype"] == "float32"
        else torch.tensor(7)
        for entry in json.loads(path.read_text())["entries"]
    }


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_every_official_file_of_these_families_is_tested():
    assert MANIFESTS.keys() <= OFFICIAL.keys()


@pytest.mark.parametrize("kind", MANIFESTS)
def test_official_files_of_every_kind(tmp_path, kind):
    """Converted, found by path, loaded strictly: every entry of the network is the file's."""
    state = manifest_state(kind)
    source = write_official(tmp_path / "net.pth.tar", state)
    done = convert(tmp_path, kind, tmp_path / "out.safetensors")
    assert (done.source_sha256, done.sha256) == (sha256(source), sha256(done.path))
    source.unlink()

    network = build_network(kind)
    choice = load_weights(network, resolve_weights(str(done.path), {kind: "random"})[kind])
    assert (choice.sha256, choice.random) == (done.sha256, False)
    loaded = network.state_dict()
    renames = NETWORKS[kind].config.renames
    state = {rename_entry(name, renames): tensor for name, tensor in state.items()}
    assert done.entries == len(loaded)
    assert all(torch.equal(tensor, state[name]) for name, tensor in loaded.items())
    unread = state.keys() - loaded.keys()
    prefixes = [rename_entry(name, renames) for name in OFFICIAL[kind].official.unread]
    assert unread and all(name.startswith(tuple(prefixes)) for name in unread)

    other = next(name for name in MANIFESTS if name != kind)
    with pytest.raises(UsageError, match=rf"out.safetensors: holds weights for {kind}; needed"):
        resolve_weights(str(done.path), {other: "random"})


def test_weights_of_another_network_are_refused(tmp_path):
    source = write_official(tmp_path / "net.pth.tar", manifest_state("ar_c21_r18"))
    with pytest.raises(UsageError, match=r"not weights for ar_c21_r34: 70 missing \(feature_ext"):
        convert(source, "ar_c21_r34", tmp_path / "out.safetensors")
    with pytest.raises(UsageError, match=r"136 unexpected \(corner_head.*16 mismatched"):
        convert(source, "super_dimp", tmp_path / "out.safetensors")
    assert list(tmp_path.iterdir()) == [source]


@pytest.mark.usefixtures("tiny_kinds")
class TestTinyNetwork:
    @pytest.mark.parametrize("zipped", [False, True])
    def test_metadata(self, tmp_path, zipped):
        source = write_official(tmp_path / "net.pth.tar", tiny_state(), zipped=zipped)
        convert(source, "tiny", tmp_path / "out.safetensors")
        facts = open_weights(tmp_path / "out.safetensors").parts["tiny"]
        assert facts["source"] == "net.pth.tar"
        assert facts["source_sha256"] == sha256(source)
        assert facts["source_epoch"] == "40" and facts["source_network"] == "DiMPnet"
        assert facts["converter"].startswith("arvot ") and "GPL" in facts["license"]

    def test_the_same_file_gives_the_same_bytes(self, tmp_path):
        source = write_official(tmp_path / "net.pth.tar", tiny_state())
        results = {convert(source, "tiny", tmp_path / f"{i}.safetensors").sha256 for i in range(8)}
        assert len(results) == 1

    def test_unread_stages_are_left_out_and_counters_added(self, tmp_path):
        state = tiny_state() | {"unread.weight": torch.ones(9)}
        del state["bn.num_batches_tracked"]
        source = write_official(tmp_path / "net.pth.tar", state)
        convert(source, "tiny", tmp_path / "out.safetensors")
        stored = safetensors.torch.load_file(tmp_path / "out.safetensors")
        assert stored.keys() == tiny_state().keys()
        assert stored["bn.num_batches_tracked"] == torch.tensor(0)

    def test_other_float_types_are_cast(self, tmp_path):
        state = {n: t.double() if t.is_floating_point() else t for n, t in tiny_state().items()}
        source = write_official(tmp_path / "net.pth.tar", state)
        convert(source, "tiny", tmp_path / "out.safetensors")
        stored = safetensors.torch.load_file(tmp_path / "out.safetensors")
        assert torch.equal(stored["conv.weight"], tiny_state()["conv.weight"])

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"conv.weight": torch.ones(4, 3, 3, 2)}, "1 mismatched .conv.weight is float 4x3x3x2"),
            ({"step": torch.tensor(3)}, "step is integer scalar, not float scalar"),
            ({"a\nb\x1b[31m" + "c" * 500: torch.ones(1)}, r"1 unexpected \(a\\nb\\x1b\[31mccc"),
            ({f"extra{i}": torch.ones(1) for i in range(9)}, "9 unexpected .*extra2, ..."),
            ({"fc.bias": torch.tensor([1.0, float("nan")])}, "entry fc.bias holds NaN"),
            ({"bn.running_var": torch.full((4,), float("inf"))}, "bn.running_var holds NaN or inf"),
        ],
    )
    def test_what_does_not_fit(self, tmp_path, change, message):
        source = write_official(tmp_path / "net.pth.tar", tiny_state() | change)
        with pytest.raises(UsageError, match=message) as caught:
            convert(source, "tiny", tmp_path / "out.safetensors")
        assert str(caught.value).isprintable() and len(str(caught.value)) < 400
        assert not (tmp_path / "out.safetensors").exists()

    def test_missing_entries_are_named(self, tmp_path):
        source = write_official(tmp_path / "net.pth.tar", {"conv.bias": torch.ones(4)})
        with pytest.raises(UsageError, match=r"8 missing \(bn.bias, bn.running_mean, bn.running_v"):
            convert(source, "tiny", tmp_path / "out.safetensors")

    def test_a_failed_write_keeps_the_old_file(self, tmp_path, monkeypatch):
        source = write_official(tmp_path / "net.pth.tar", tiny_state())
        out = tmp_path / "folder" / "out.safetensors"
        out.parent.mkdir()
        out.write_bytes(b"old")
        write_bytes = Path.write_bytes

        def disk_full(path, data):
            write_bytes(path, bytes(data)[:100])
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(Path, "write_bytes", disk_full)
        with pytest.raises(UsageError, match=r"cannot be written .*No space left"):
            convert(source, "tiny", out)
        assert [p.name for p in out.parent.iterdir()] == ["out.safetensors"]
        assert out.read_bytes() == b"old"

    def test_the_new_file_replaces_the_old_one_in_one_step(self, tmp_path, monkeypatch):
        source = write_official(tmp_path / "net.pth.tar", tiny_state())
        out = tmp_path / "out.safetensors"
        out.write_bytes(b"old")
        fsync, seen = os.fsync, []

        def look(descriptor):
            seen.append(out.read_bytes())
            fsync(descriptor)

        monkeypatch.setattr(os, "fsync", look)
        done = convert(source, "tiny", out)
        assert seen == [b"old"] and sha256(out) == done.sha256

    @pytest.mark.parametrize(
        ("name", "message"),
        [("out.pth", "must end in .safetensors"), ("absent/out.safetensors", "cannot be written")],
    )
    def test_bad_destinations(self, tmp_path, name, message):
        source = write_official(tmp_path / "net.pth.tar", tiny_state())
        with pytest.raises(UsageError, match=message):
            convert(source, "tiny", tmp_path / name)

    def test_unknown_network(self, tmp_path):
        with pytest.raises(UsageError, match="weights for 'resnet': choose super_dimp, ar_v20"):
            convert(tmp_path / "net.pth.tar", "resnet", tmp_path / "out.safetensors")

    def test_permissions_follow_the_umask(self, tmp_path):
        plain = tmp_path / "plain"
        plain.touch()
        write_weights(tmp_path / "out.safetensors", {"tiny": tiny_state()}, {})
        assert (tmp_path / "out.safetensors").stat().st_mode == plain.stat().st_mode


@pytest.mark.usefixtures("tiny_kinds")
class TestMerge:
    def test_one_file_for_two_networks(self, tmp_path):
        one, two, both = (tmp_path / f"{name}.safetensors" for name in ("one", "two", "both"))
        write_weights(one, {"tiny": tiny_state(1)}, {"tiny": {"source": "a"}})
        write_weights(two, {"small": tiny_state(2)}, {"small": {"source": "b"}})
        assert merge_weights([one, two], both) == sha256(both)
        file = open_weights(both)
        assert file.parts == {"tiny": {"source": "a"}, "small": {"source": "b"}}
        for kind, seed in (("tiny", 1), ("small", 2)):
            entries = file.read(kind)
            assert entries.keys() == tiny_state().keys()
            assert all(torch.equal(entries[name], t) for name, t in tiny_state(seed).items())

    def test_twice_the_same_network(self, tmp_path):
        for name in ("one", "two"):
            write_weights(tmp_path / f"{name}.safetensors", {"tiny": tiny_state()}, {})
        with pytest.raises(UsageError, match=r"two.safetensors: another of the files holds tiny"):
            merge_weights(
                [tmp_path / "one.safetensors", tmp_path / "two.safetensors"],
                tmp_path / "both.safetensors",
            )
        assert not (tmp_path / "both.safetensors").exists()


class TestOpenWeights:
    @pytest.mark.parametrize(
        "metadata", [None, {"arvot": "[" * 100_000}, {"arvot": '{"parts": {}}'}, {"arvot": "3"}]
    )
    def test_files_of_other_programs(self, tmp_path, metadata):
        path = tmp_path / "other.safetensors"
        safetensors.torch.save_file({"a": torch.ones(2)}, path, metadata)
        with pytest.raises(UsageError, match="does not say which network it is for"):
            open_weights(path)

    @pytest.mark.parametrize("content", [b"", b"<html>", b"\xff" * 100, bytes(8)])
    def test_damaged(self, tmp_path, content):
        path = tmp_path / "bad.safetensors"
        path.write_bytes(content)
        with pytest.raises(UsageError, match="not a readable safetensors file"):
            open_weights(path)

    def test_cut_off(self, tmp_path):
        path = tmp_path / "out.safetensors"
        write_weights(path, {"tiny": tiny_state()}, {})
        whole = path.read_bytes()
        for length in (len(whole) - 1, 100):
            path.write_bytes(whole[:length])
            with pytest.raises(UsageError, match="not a readable safetensors file - it is cut off"):
                open_weights(path)

    def test_what_was_meant_for_another_reader(self, tmp_path):
        path = tmp_path / "notes.txt"
        path.write_text("not yet")
        with pytest.raises(UsageError, match=r"notes.txt is a text file, which begins with 'not"):
            open_weights(path)

    def test_official_files_must_be_converted(self, tmp_path):
        path = write_official(tmp_path / "net.pth.tar", tiny_state())
        with pytest.raises(UsageError, match="`arvot weights convert`"):
            open_weights(path)
