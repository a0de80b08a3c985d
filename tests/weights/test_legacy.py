import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch

from alpharefine.errors import UsageError
from alpharefine.weights import torch_files
from alpharefine.weights.official_files import find_checkpoint, read_checkpoint
from tests.weights.official_files import tiny_state, write_official

IN_A_FRESH_PROCESS = """
import hashlib, importlib.util, json, sys
from pathlib import Path
assert importlib.util.find_spec("ltr") is None
from alpharefine.weights.official_files import read_checkpoint
imported = []
sys.addaudithook(lambda event, args: imported.append(args[0]) if event == "import" else None)
checkpoint = read_checkpoint(Path(sys.argv[1]))
print(json.dumps({
    "tensors": {n: [str(t.dtype), t.tolist()] for n, t in checkpoint.tensors.items()},
    "authors": [name for name in [*imported, *sys.modules] if name.split(".")[0] == "ltr"],
}))
"""


def assert_equal_states(actual, expected):
    assert actual.keys() == expected.keys()
    for name, tensor in expected.items():
        assert actual[name].dtype == tensor.dtype
        assert torch.equal(actual[name], tensor), name


@pytest.mark.parametrize("zipped", [False, True])
def test_reads_everything_the_trainer_writes(tmp_path, zipped):
    path = write_official(tmp_path / "net.pth.tar", tiny_state(), zipped=zipped)
    checkpoint = read_checkpoint(path)
    assert_equal_states(checkpoint.tensors, tiny_state())
    assert (checkpoint.network, checkpoint.epoch, checkpoint.path) == ("DiMPnet", 40, path)


@pytest.mark.parametrize("zipped", [False, True])
def test_loads_where_the_authors_package_is_absent(tmp_path, zipped):
    path = write_official(tmp_path / "net.pth.tar", tiny_state(), zipped=zipped)
    result = subprocess.run(
        [sys.executable, "-c", IN_A_FRESH_PROCESS, str(path)],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert result.returncode == 0, result.stderr
    answer = json.loads(result.stdout)
    expected = {name: [str(t.dtype), t.tolist()] for name, t in tiny_state().items()}
    assert answer == {"tensors": expected, "authors": []}


def test_the_file_starts_as_the_official_ones_do(tmp_path):
    path = write_official(tmp_path / "net.pth.tar", tiny_state())
    assert path.read_bytes().startswith(bytes.fromhex("80028a0a6cfc9c46f9206aa85019"))


def test_names_of_very_old_files(tmp_path):
    path = write_official(tmp_path / "n.pth.tar", tiny_state(), package="dlframework.common.utils")
    assert b"dlframework.common.utils.admin" in path.read_bytes()
    assert_equal_states(read_checkpoint(path).tensors, tiny_state())


def test_weights_that_were_saved_on_a_gpu(tmp_path):
    path = write_official(tmp_path / "net.pth.tar", tiny_state())
    content = path.read_bytes()
    # What torch.save writes for CUDA tensors: another storage class and location.
    content = content.replace(b"ctorch\nFloatStorage\n", b"ctorch.cuda\nFloatStorage\n")
    content = content.replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0")
    assert b"torch.cuda\nFloatStorage" in content and b"cuda:0" in content
    path.write_bytes(content)
    checkpoint = read_checkpoint(path)
    assert_equal_states(checkpoint.tensors, tiny_state())
    assert all(tensor.device.type == "cpu" for tensor in checkpoint.tensors.values())


def test_numpy_scalars_under_numpys_old_module_name(tmp_path):
    path = write_official(tmp_path / "net.pth.tar", tiny_state())
    content = path.read_bytes()
    assert b"numpy._core.multiarray\n" in content
    path.write_bytes(content.replace(b"numpy._core.multiarray\n", b"numpy.core.multiarray\n"))
    assert_equal_states(read_checkpoint(path).tensors, tiny_state())


@pytest.mark.parametrize("zipped", [False, True])
def test_views_of_shared_storages(tmp_path, zipped):
    base = torch.arange(60.0)
    net = {
        "slice": base[7:13],
        "matrix": base[20:50].view(5, 6),
        "transposed": base[20:50].view(5, 6).t(),
        "scalar": base[3],
        "empty": torch.zeros(0, 4),
        "half": torch.ones(3, dtype=torch.float16),
        "bfloat": torch.ones(3, dtype=torch.bfloat16),
        "flag": torch.tensor([True, False]),
    }
    path = write_official(tmp_path / "net.pth.tar", net, zipped=zipped)
    tensors = read_checkpoint(path).tensors
    assert_equal_states(tensors, net)
    assert all(tensor.is_contiguous() for tensor in tensors.values())


@pytest.mark.parametrize("zipped", [False, True])
def test_a_storage_is_read_once_however_many_tensors_share_it(tmp_path, monkeypatch, zipped):
    base, other = torch.arange(1000.0), torch.arange(1000.0, 2000.0)
    net = {f"{i}": (other if i % 2 else base)[i] for i in range(100)}
    path = write_official(tmp_path / "net.pth.tar", net, zipped=zipped)
    reader = torch_files._ZipFile if zipped else torch_files._StreamFile
    read, keys = reader.read, []

    def counted(file, storage):
        keys.append(storage.key)
        return read(file, storage)

    monkeypatch.setattr(reader, "read", counted)
    tensors = read_checkpoint(path).tensors
    assert list(tensors) == list(net)
    assert_equal_states(tensors, net)
    assert len(keys) == len(set(keys)) == 2


@pytest.mark.parametrize("epoch", [10**9, -1, pytest.param(1 << 100_000, id="huge"), "40", None])
def test_nonsense_beside_the_network_is_not_believed(tmp_path, epoch):
    path = tmp_path / "net.pth.tar"
    content = {"net": tiny_state(), "epoch": epoch, "net_type": "\x1b[31mred\n" * 100}
    torch.save(content, path, _use_new_zipfile_serialization=False)
    checkpoint = read_checkpoint(path)
    assert checkpoint.epoch is None
    assert checkpoint.network.isprintable() and len(checkpoint.network) < 100


def test_parameters_instead_of_tensors(tmp_path):
    net = {"weight": torch.nn.Parameter(torch.ones(2, 3))}
    path = write_official(tmp_path / "net.pth.tar", net)
    assert_equal_states(read_checkpoint(path).tensors, {"weight": torch.ones(2, 3)})


def test_stripped_to_the_network(tmp_path):
    path = tmp_path / "net.pth.tar"
    torch.save({"net": tiny_state()}, path, _use_new_zipfile_serialization=False)
    checkpoint = read_checkpoint(path)
    assert_equal_states(checkpoint.tensors, tiny_state())
    assert checkpoint.network is None and checkpoint.epoch is None


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_other_pickle_protocols(tmp_path, protocol):
    path = tmp_path / "net.pth.tar"
    content = {"net": tiny_state(), "seen": {1, 2}, "raw": b"bytes", "text": "x" * 70_000}
    torch.save(content, path, _use_new_zipfile_serialization=False, pickle_protocol=protocol)
    assert_equal_states(read_checkpoint(path).tensors, tiny_state())


def test_a_folder_means_the_last_file_in_it(tmp_path):
    for epoch in ("0038", "0040", "0039"):
        write_official(tmp_path / f"net_ep{epoch}.pth.tar", tiny_state(int(epoch)))
    (tmp_path / "net_ep0041.txt").write_text("other")
    (tmp_path / "net_ep0042.pth.tar").mkdir()
    assert find_checkpoint(tmp_path).name == "net_ep0040.pth.tar"
    assert_equal_states(read_checkpoint(tmp_path).tensors, tiny_state(40))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n <!DOCTYPE html><html><title>Quota exceeded</title></html>", "is a web page"),
        (b"\xef\xbb\xbf<html>", "is a web page"),
        (b"\x1f\x8b\x08\x00" + bytes(100), r"is an archive \(gzip\): unpack it"),
        (b"Please log in first\n", "is a text file, which begins with 'Please log in first': give"),
        ("名\n".encode() * 400, "is a text file, which begins with '名 名"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:a\n", "run `git lfs pull`"),
        (b"\xff\xfe\x00\x01 not found", "is no PyTorch checkpoint, or is damaged: download"),
        (b"PK\x03\x04" + bytes(100), "is cut off: a zip without an end, 104 bytes are there: down"),
        (bytes(1000), "begins with zeros alone, so its download has not ended: download it"),
        (b"name".ljust(257, b"\0") + b"ustar", r"is an archive \(tar\): unpack it"),
        (b"%PDF-1.7", "is a PDF document, not weights"),
        (b"\x80\x02K\x05.", "not a file of torch.save"),
        (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", "damaged or cut off"),
        (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02K\x05.", "unknown version"),
    ],
)
def test_what_is_no_checkpoint(tmp_path, content, message):
    path = tmp_path / "net.pth.tar"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=message) as caught:
        read_checkpoint(path)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("content", [{"model": {}}, {"net": {}}, {"net": {"a": 3}}, [1, 2], None])
def test_files_of_torch_without_a_network(tmp_path, content, zipped):
    path = tmp_path / "net.pth.tar"
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(UsageError, match=r"holds no network|other than a tensor as a"):
        read_checkpoint(path)


def test_a_zip_of_something_else(tmp_path):
    path = tmp_path / "net.pth.tar"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(UsageError, match=r"a zip archive with readme.txt in it: unpack it, and"):
        read_checkpoint(path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("weights/net.pth.tar", "hello")
    with pytest.raises(UsageError, match=r"with weights/net.pth.tar in it: unpack it"):
        read_checkpoint(path)


def test_a_download_that_has_not_ended(tmp_path):
    path = write_official(tmp_path / "net.pth.tar.crdownload", tiny_state())
    with pytest.raises(UsageError, match="is a download that has not ended, by its name"):
        read_checkpoint(path)


@pytest.mark.parametrize("zipped", [False, True])
def test_big_endian_files_are_not_misread(tmp_path, zipped):
    path = write_official(tmp_path / "net.pth.tar", tiny_state(), zipped=zipped)
    if zipped:
        other = tmp_path / "big.pth.tar"
        with zipfile.ZipFile(path) as old, zipfile.ZipFile(other, "w") as new:
            for name in old.namelist():
                new.writestr(name, b"big" if name.endswith("byteorder") else old.read(name))
        path = other
    else:
        content = path.read_bytes()
        marker = content.index(b"little_endian")
        at = content.index(b"\x88", marker)
        path.write_bytes(content[:at] + b"\x89" + content[at + 1 :])
    with pytest.raises(UsageError, match="big-endian"):
        read_checkpoint(path)


def test_no_such_file(tmp_path):
    with pytest.raises(UsageError, match="there is no file"):
        read_checkpoint(tmp_path / "absent.pth.tar")
    with pytest.raises(UsageError, match=r"holds no \*\.pth\.tar file"):
        read_checkpoint(Path(tmp_path))
