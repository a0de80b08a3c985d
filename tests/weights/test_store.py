import hashlib
import logging
from dataclasses import replace

import pytest
import torch

from alpharefine.errors import UsageError
from alpharefine.nets import registry
from alpharefine.nets.registry import WEIGHTS, build_network
from alpharefine.nets.spec import WeightsSpec
from alpharefine.weights import store
from alpharefine.weights.files import merge_weights, write_weights
from alpharefine.weights.store import load_weights, name_and_hash, resolve_weights, state_sha256
from tests.weights.official_files import TinyNetwork, tiny_state

DEFAULTS = {"tiny": "tiny", "small": "small"}

pytestmark = pytest.mark.usefixtures("tiny_kinds")


@pytest.fixture
def tiny(tmp_path):
    path = tmp_path / "mine.safetensors"
    write_weights(path, {"tiny": tiny_state(1)}, {})
    return path


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "other.safetensors"
    write_weights(path, {"small": tiny_state(2)}, {})
    return path


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


class TestResolve:
    def test_defaults_are_found_in_the_cache(self, cache, tiny, small):
        tiny.rename(cache / "tiny.safetensors")
        small.rename(cache / "small.safetensors")
        chosen = resolve_weights(None, DEFAULTS)
        assert list(chosen) == ["tiny", "small"]
        for kind, choice in chosen.items():
            path = cache / f"{kind}.safetensors"
            assert (choice.name, choice.path, choice.sha256) == (kind, path, sha256(path))

    def test_bundled_weights_come_first(self, cache, tiny, tmp_path, monkeypatch):
        bundled = tmp_path / "bundled"
        bundled.mkdir()
        monkeypatch.setattr(store, "BUNDLED", bundled)
        (cache / "tiny.safetensors").write_bytes(tiny.read_bytes())
        (bundled / "tiny.safetensors").write_bytes(tiny.read_bytes())
        assert resolve_weights(None, {"tiny": "tiny"})["tiny"].path.parent == bundled

    def test_missing_defaults_say_how_to_get_them(self):
        expected = r"'tiny' are not on this machine: download super_dimp.pth.tar .* fetch .*tar`$"
        with pytest.raises(UsageError, match=expected):
            resolve_weights(None, DEFAULTS)

    def test_files_fill_in_where_they_belong(self, tiny, small):
        chosen = resolve_weights(f"{small},{tiny}", DEFAULTS)
        assert [(c.network, c.name, c.path) for c in chosen.values()] == [
            ("tiny", "mine", tiny),
            ("small", "other", small),
        ]

    def test_the_rest_takes_its_default(self, cache, tiny, small):
        small.rename(cache / "small.safetensors")
        chosen = resolve_weights(str(tiny), DEFAULTS)
        assert chosen["tiny"].path == tiny
        assert chosen["small"].path == cache / "small.safetensors"

    def test_one_file_for_all(self, tmp_path, tiny, small):
        both = tmp_path / "both.safetensors"
        merge_weights([tiny, small], both)
        chosen = resolve_weights(str(both), DEFAULTS)
        assert {choice.path for choice in chosen.values()} == {both}
        assert name_and_hash(chosen.values()) == ("both", sha256(both))

    def test_a_folder(self, tmp_path, tiny, small):
        folder = tmp_path / "weights, mine"
        folder.mkdir()
        tiny.rename(folder / "tiny.safetensors")
        small.rename(folder / "small.safetensors")
        chosen = resolve_weights(str(folder), DEFAULTS)
        assert [c.path.name for c in chosen.values()] == ["tiny.safetensors", "small.safetensors"]

    @pytest.mark.parametrize(("text", "seed"), [("random", 0), ("random:0", 0), ("random:42", 42)])
    def test_random(self, text, seed):
        chosen = resolve_weights(text, DEFAULTS)
        for choice in chosen.values():
            assert (choice.name, choice.seed, choice.path) == (f"random:{seed}", seed, None)
            assert choice.random

    def test_random_for_the_rest(self, tiny):
        chosen = resolve_weights(f"random:3,{tiny}", DEFAULTS)
        assert not chosen["tiny"].random and chosen["small"].seed == 3

    def test_random_as_a_default(self):
        assert resolve_weights(None, {"tiny": "random:5"})["tiny"].seed == 5

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            ("nonsense", "unknown weights 'nonsense': give a registered name, .*super_dimp"),
            ("", "unknown weights ''"),
            ("random,", "unknown weights ''"),
            ("random:x", "seed must be an integer"),
            ("random:-1", "seed must be an integer"),
            ("random:²", "seed must be an integer"),
            ("random:" + "9" * 5000, "seed must be an integer"),
            ("random,random:1", "weights given twice for small, tiny"),
            ("line\nbreak", r"unknown weights 'line\\nbreak'"),
            ("absent.safetensors", "absent.safetensors: no such file"),
            ("../tiny", "unknown weights"),
        ],
    )
    def test_bad_values(self, value, message):
        with pytest.raises(UsageError, match=message):
            resolve_weights(value, DEFAULTS)

    def test_files_that_are_not_wanted(self, tiny, tmp_path):
        with pytest.raises(UsageError, match="holds weights for tiny; needed are small"):
            resolve_weights(str(tiny), {"small": "random"})
        with pytest.raises(UsageError, match="given twice for tiny"):
            resolve_weights(f"{tiny},{tiny}", DEFAULTS)
        (tmp_path / "empty").mkdir()
        with pytest.raises(UsageError, match=r"holds none of tiny.safetensors, small.safetensors"):
            resolve_weights(str(tmp_path / "empty"), DEFAULTS)
        torch.save({}, tmp_path / "net.pth.tar")
        with pytest.raises(UsageError, match="arvot weights convert"):
            resolve_weights(str(tmp_path / "net.pth.tar"), DEFAULTS)

    def test_a_replaced_file_is_not_used(self, cache, tiny, monkeypatch):
        tiny.rename(cache / "tiny.safetensors")
        spec = replace(WEIGHTS["tiny"], sha256="0" * 64)
        monkeypatch.setitem(registry.WEIGHTS, "tiny", spec)
        with pytest.raises(UsageError, match="damaged or replaced"):
            resolve_weights("tiny", {"tiny": "random"})
        spec = replace(spec, sha256=sha256(cache / "tiny.safetensors"))
        monkeypatch.setitem(registry.WEIGHTS, "tiny", spec)
        assert resolve_weights("tiny", {"tiny": "random"})["tiny"].sha256 == spec.sha256


class TestLoad:
    def test_from_a_file(self, tiny):
        network = TinyNetwork()
        choice = load_weights(network, resolve_weights(str(tiny), {"tiny": "random"})["tiny"])
        assert choice.sha256 == sha256(tiny)
        assert all(torch.equal(t, tiny_state(1)[n]) for n, t in network.state_dict().items())

    def test_random_weights_depend_on_their_seed_alone(self, caplog):
        digests = []
        for seed, disturbance in ((7, 1), (7, 2), (8, 1)):
            torch.manual_seed(disturbance)
            network = TinyNetwork()
            expected_next = torch.rand(
                3, generator=torch.Generator().set_state(torch.get_rng_state())
            )
            choice = resolve_weights(f"random:{seed}", {"tiny": "tiny"})["tiny"]
            loaded = load_weights(network, choice)
            assert torch.equal(torch.rand(3), expected_next), "the global generator was disturbed"
            assert loaded.sha256 == state_sha256(network.state_dict())
            digests.append(loaded.sha256)
        assert digests[0] == digests[1] != digests[2]
        warnings = [r.message for r in caplog.records if r.levelno == logging.WARNING]
        assert "random:7 weights, which are not trained: EAO is only proof" in warnings[0]

    def test_sha256_of_a_state(self):
        state = {"b": torch.tensor([1.0, 2.0]), "a": torch.tensor(3), "c": torch.ones(2).bfloat16()}
        by_hand = b"\x03" + bytes(7) + bytes.fromhex("0000803f00000040") + b"\x80\x3f" * 2
        assert state_sha256(state) == hashlib.sha256(by_hand).hexdigest()
        turned = torch.arange(6.0).view(2, 3)
        assert state_sha256({"x": turned.t()}) == state_sha256({"x": turned.t().contiguous()})

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"fc.bias": torch.ones(3)}, "1 mismatched"),
            ({"fc.scale": torch.ones(3)}, "1 unexpected"),
            ({"fc.bias": torch.tensor([float("nan"), 0.0])}, "fc.bias holds NaN"),
        ],
    )
    def test_strict(self, tmp_path, change, message):
        path = tmp_path / "bad.safetensors"
        write_weights(path, {"tiny": tiny_state() | change}, {})
        network = TinyNetwork()
        before = state_sha256(network.state_dict())
        choice = resolve_weights(str(path), {"tiny": "random"})["tiny"]
        with pytest.raises(UsageError, match=rf"bad.safetensors: .*{message}"):
            load_weights(network, choice)
        assert state_sha256(network.state_dict()) == before

    def test_summary_of_several_files(self, tiny, small):
        chosen = resolve_weights(f"{tiny},{small}", DEFAULTS).values()
        digest = hashlib.sha256((sha256(tiny) + sha256(small)).encode()).hexdigest()
        assert name_and_hash(chosen) == ("mine+other", digest)

    def test_summary_of_random_weights_needs_no_network(self):
        chosen = resolve_weights("random:2", {"tiny": "tiny"})
        name, digest = name_and_hash(chosen.values())
        loaded = load_weights(TinyNetwork(), chosen["tiny"])
        assert (name, digest) == ("random:2", loaded.sha256)


class TestRegistry:
    def test_the_table(self):
        for name, spec in WEIGHTS.items():
            assert spec.name == name and registry.networks_of(spec)
            assert all((spec.license, spec.source, spec.obtain))
            assert spec.url is not None or spec.sha256 is not None or "--from" in spec.obtain

    @pytest.mark.parametrize("name", ["../evil", "a/b", "/etc/passwd", "", "..", "."])
    def test_names_stay_in_their_folder(self, name):
        with pytest.raises(ValueError, match="not a plain file name"):
            replace(WEIGHTS["super_dimp"], name=name)

    def test_downloads_need_a_sha256(self):
        with pytest.raises(ValueError, match="need a sha256"):
            replace(WEIGHTS["super_dimp"], url="https://example.org/x.safetensors")

    def test_is_frozen(self):
        with pytest.raises(AttributeError):
            WEIGHTS["super_dimp"].url = "x"  # type: ignore[misc]
        assert isinstance(WEIGHTS["super_dimp"], WeightsSpec)


def test_cache_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("ARVOT_HOME", str(tmp_path))
    assert store.cache_folder() == tmp_path / "weights"
    monkeypatch.delenv("ARVOT_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert store.cache_folder().parts[-2:] == ("arvot", "weights")


def test_unknown_kind():
    with pytest.raises(UsageError, match="unknown network 'x'; choose one of"):
        build_network("x")
