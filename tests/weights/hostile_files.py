"""Checkpoints that try to run code, to take all memory, or to crash the reader.

Each case is (name, bytes, what the error must say). Code that runs would write `SENTINEL`.
"""

import builtins
import functools
import importlib
import io
import operator
import os
import pickle
import runpy
import struct
import subprocess
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Iterator

import torch

SENTINEL = "it-ran"
_TOUCH = f"touch {SENTINEL}"
_WRITE = f"open({SENTINEL!r}, 'w').close()"

MAGIC = pickle.dumps(0x1950A86A20F9469CFC6C, 2)
PROTOCOL = pickle.dumps(1001, 2)
SYSTEM = pickle.dumps({"protocol_version": 1001, "little_endian": True, "type_sizes": {}}, 2)
NO_KEYS = pickle.dumps([], 2)

Case = tuple[str, bytes, str]


class Reduce:
    """Pickles as a call of anything."""

    def __init__(self, function, *arguments, state=None):
        self.result = (function, arguments, state) if state else (function, arguments)

    def __reduce__(self):
        return self.result


def stream(root: bytes, keys: bytes = NO_KEYS, data: bytes = b"") -> bytes:
    """A file in the old format around a pickled object."""
    return MAGIC + PROTOCOL + SYSTEM + root + keys + data


def archive(root: bytes, compression: int = zipfile.ZIP_STORED, **entries: bytes) -> bytes:
    """A file in the zip format around a pickled object."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as file:
        file.writestr("net/data.pkl", root)
        for key, content in entries.items():
            file.writestr(f"net/data/{key}", content)
    return buffer.getvalue()


def _calls() -> Iterator[tuple[str, object, str]]:
    """Objects whose unpickling runs code, and the global that must be refused first."""
    partial = functools.partial(functools.partial, os.system)
    yield "os.system", Reduce(os.system, _TOUCH), "(posix|nt|os).system"
    yield "eval", Reduce(builtins.eval, _WRITE), "builtins?__.eval|builtins.eval"
    yield "exec", Reduce(builtins.exec, _WRITE), "exec"
    yield "compile", Reduce(builtins.compile, _WRITE, "x", "exec"), "compile"
    yield "import", Reduce(builtins.__import__, "os"), "__import__"
    yield "getattr", Reduce(builtins.getattr, Reduce(importlib.import_module, "os"), "a"), "getattr"
    yield "open", Reduce(builtins.open, SENTINEL, "w"), "open"
    yield "popen", Reduce(os.popen, _TOUCH), "os.popen"
    yield "Popen", Reduce(subprocess.Popen, _TOUCH.split()), "Popen"
    yield "run", Reduce(subprocess.check_output, _TOUCH.split()), "check_output"
    yield "partial chain", Reduce(partial, _TOUCH), "functools.partial"
    yield "reduce", Reduce(functools.reduce, os.system, [_TOUCH]), "reduce"
    yield "map", Reduce(list, Reduce(map, os.system, [_TOUCH])), "list"
    yield "methodcaller", Reduce(operator.methodcaller, "system", _TOUCH), "operator"
    yield "run_path", Reduce(runpy.run_path, "x.py"), "runpy"
    yield "loads", Reduce(pickle.loads, pickle.dumps(Reduce(os.system, _TOUCH))), "loads"
    yield "torch.load", Reduce(torch.load, "x.pt"), "torch.serialization.load"
    yield "torch.hub", Reduce(torch.hub.load, "a/b", "c"), "torch.hub"
    yield "tensor method", Reduce(torch.Tensor, 10**11), "torch.Tensor|torch._tensor.Tensor"
    yield "bytearray", Reduce(bytearray, 10**12), "bytearray"
    nested = Reduce(os.system, _TOUCH)
    for _ in range(20):
        nested = Reduce(OrderedDict, [("x", nested)])
    yield "nested reduce", nested, "system"


def code_cases() -> Iterator[Case]:
    """Every call, everywhere a pickle can be."""
    for name, payload, refused in _calls():
        for protocol in (0, 1, 2, 3, 4, 5):
            yield f"{name}, bare, protocol {protocol}", pickle.dumps(payload, protocol), refused
        root = pickle.dumps({"net": OrderedDict(weight=torch.Size([1])), "settings": payload}, 2)
        yield f"{name}, in a stream", stream(root), refused
        yield f"{name}, in a zip", archive(root), refused
        in_net = pickle.dumps({"net": OrderedDict(weight=payload)}, 4)
        yield f"{name}, as a weight", stream(in_net), refused
        yield f"{name}, as magic number", pickle.dumps(payload, 2) + PROTOCOL + SYSTEM, refused
        system = MAGIC + PROTOCOL + pickle.dumps({"little_endian": payload}, 2)
        yield f"{name}, as system", system, refused
        keys = pickle.dumps([payload], 2)
        yield f"{name}, as storage keys", stream(pickle.dumps({}, 2), keys), refused
        state = Reduce(OrderedDict, state={"x": payload})
        yield f"{name}, as state", stream(pickle.dumps(state, 2)), refused
    old = f"(S'{_TOUCH}'\nios\nsystem\n.".encode()
    yield "instance opcode", old, "os.system"
    yield "instance opcode in a stream", stream(old), "os.system"
    yield "global by extension", b"\x80\x02\x82\x01.", "no PyTorch checkpoint"
    yield "name from the stack", b"\x80\x04\x8c\x02os\x8c\x06system\x93.", "os.system"
    yield "name is no text", b"\x80\x04K\x01K\x02\x93.", "1.2"
    yield "name of several lines", b"\x80\x04\x8c\x03o\ns\x8c\x06system\x93.", r"o\\ns.system"
    yield "call of a text", stream(b"\x80\x02X\x02\x00\x00\x00ab)R."), "not a global"
    dotted = b"\x80\x04\x8c\x03ltr\x8c\x0aa.__init__\x93."
    yield "path through a class", stream(dotted), "torch.save|damaged|no network"


def _storage(numel: int, key: bytes = b"0") -> bytes:
    """Persistent id of a float storage, in pickle opcodes."""
    return (
        b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\n"
        + b"X" + struct.pack("<I", len(key)) + key
        + b"X\x03\x00\x00\x00cpu"
        + pickle.dumps(numel, 2)[2:-1]
        + b"NtQ"
    )  # fmt: skip


def tensor(
    numel: int, size: tuple[int, ...], stride: tuple[int, ...], offset: int = 0, key: bytes = b"0"
) -> bytes:
    """A rebuilt tensor, in pickle opcodes."""
    numbers = b"".join(pickle.dumps(value, 2)[2:-1] for value in (offset, size, stride, False))
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + _storage(numel, key) + numbers + b"NtR"


def network(*tensors: bytes) -> bytes:
    """Pickle of {"net": {"0": tensor, ...}}."""
    items = b"".join(
        b"X" + struct.pack("<I", len(str(i))) + str(i).encode() + value
        for i, value in enumerate(tensors)
    )
    return b"\x80\x02}X\x03\x00\x00\x00net}(" + items + b"us."


def _one_storage(numel: int = 4) -> bytes:
    return struct.pack("<q", numel) + bytes(4 * min(numel, 1000))


def memory_cases() -> Iterator[Case]:
    """Small files that declare much."""
    keys = pickle.dumps(["0"], 2)
    huge = 2**40
    for numel in (huge, 2**62, 2**63, 2**200, 2**1000):
        root = network(tensor(numel, (numel,), (1,)))
        yield f"storage of {numel:.0e}", stream(root, keys, b"\x00" * 64), "declares a storage"
        yield f"storage of {numel:.0e}, zip", archive(root, **{"0": b""}), "declares a storage"
    expanded = network(tensor(4, (huge, huge), (0, 0)))
    yield "expanded scalar", stream(expanded, keys, _one_storage()), "beyond its storage"
    beyond = network(tensor(4, (4,), (1,), offset=1))
    yield "tensor out of bounds", stream(beyond, keys, _one_storage()), "beyond its storage"
    far = network(tensor(4, (2,), (2**60,)))
    yield "stride out of bounds", stream(far, keys, _one_storage()), "beyond its storage"
    for size, stride, offset in (((-4,), (1,), 0), ((4,), (-1,), 3), ((4,), (1,), -1)):
        root = network(tensor(4, size, stride, offset))
        yield f"negative {size} {stride} {offset}", stream(root, keys, _one_storage()), "damaged"
    many_axes = network(tensor(4, (1,) * 10_000, (0,) * 10_000))
    yield "10,000 axes", stream(many_axes, keys, _one_storage()), "damaged"
    aliases = [tensor(100_000, (100_000,), (1,))] * 5_000
    data = struct.pack("<q", 100_000) + bytes(400_000)
    yield "5,000 aliases", stream(network(*aliases), keys, data), "more weights than the file"
    other = network(tensor(4, (4,), (1,)), tensor(3, (3,), (1,)))
    yield "storage described twice", stream(other, keys, _one_storage()), "two ways"
    negative = network(tensor(-4, (4,), (1,)))
    yield "negative storage", stream(negative, keys, _one_storage()), "damaged"
    good = network(tensor(4, (4,), (1,)))
    yield "storage not listed", stream(good, NO_KEYS, _one_storage()), "storage is missing"
    yield "unknown storage", stream(good, pickle.dumps(["0", "1"], 2), _one_storage()), "not fit"
    yield "keys are no text", stream(good, pickle.dumps([0], 2), _one_storage()), "not fit"
    yield "size differs", stream(good, keys, _one_storage(3)), "not fit"
    yield "data cut off", stream(good, keys, _one_storage()[:-1]), "cut off"
    yield "memo index", b"\x80\x02Kr\x05\xff\xff\xff\x7f.", "damaged"
    yield "far memo", stream(b"\x80\x02}r\xff\xff\xff\x7f."), "no network"
    yield "long text", b"\x80\x02X\xff\xff\xff\xff.", "damaged"
    yield "longer text", b"\x80\x04\x8d" + struct.pack("<Q", 2**62) + b".", "damaged"
    yield "long bytes", b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b".", "damaged"
    yield "long integer", b"\x80\x02\x8b\xff\xff\xff\x7f.", "damaged"
    yield "long frame", b"\x80\x04\x95" + struct.pack("<Q", 2**62) + b".", "damaged"
    yield "decimal integer", b"I" + b"9" * 100_000 + b"\n.", "damaged"
    yield "many operations", b"\x80\x02" + b"N0" * 10 + b"N" * 500_001 + b".", "no PyTorch"
    yield "many operations, all pushed", stream(b"\x80\x02" + b"N" * 500_001 + b"."), "more than"
    deep = b"\x80\x02)" + b"\x85" * 200_000
    yield "deep tuple as key", stream(deep + b"q\x00}h\x00Ns."), "no network"
    yield "deep lists", stream(b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b"."), "no network"
    yield "list in itself", stream(b"\x80\x02]q\x00h\x00a."), "no network"
    yield "dict in itself", stream(b"\x80\x02}q\x00X\x03\x00\x00\x00neth\x00s."), "than a tensor"
    doubling = b"\x80\x02)q\x00" + b"".join(
        b"h" + bytes([i]) + b"h" + bytes([i]) + b"\x86q" + bytes([i + 1]) for i in range(200)
    )
    yield "doubling tuples", stream(doubling + b"."), "no network"
    encode = b"c_codecs\nencode\nX\x02\x00\x00\x00abX\x03\x00\x00\x00hex\x86R"
    yield "codec bomb", stream(b"\x80\x02" + encode * 40 + b"."), "no network"


def zip_cases() -> Iterator[Case]:
    """Zip files that are not what they declare."""
    good = network(tensor(4, (4,), (1,)))
    zeros = bytes(20_000_000)
    bomb = archive(good, zipfile.ZIP_DEFLATED, **{"0": zeros})
    yield "deflated bomb", bomb, "compressed"
    yield "deflated pickle", archive(good + bytes(10_000), zipfile.ZIP_DEFLATED), "compressed"
    yield "bzip2 bomb", archive(good, zipfile.ZIP_BZIP2, **{"0": zeros}), "compressed"
    yield "wrong size of a storage", archive(good, **{"0": bytes(12)}), "declared size"
    yield "no storage", archive(good), "is missing"
    yield "key leads out", archive(network(tensor(4, (4,), (1,), key=b"../data.pkl"))), "is missing"
    honest = archive(good, **{"0": bytes(16)})
    yield "wrong checksum", honest.replace(bytes(16), bytes(15) + b"\x01", 1), "cannot be read"
    central = honest.rindex(b"PK\x01\x02")
    liar = bytearray(honest)
    liar[central + 20 : central + 28] = struct.pack("<II", 2**31, 2**31)
    yield "lies about a size", bytes(liar), "zip bomb"
    yield "overlapping entries", _overlapping(good), "zip bomb"
    encrypted = bytearray(honest)
    for mark in (b"PK\x03\x04", b"PK\x01\x02"):
        at = honest.index(mark) + (6 if mark == b"PK\x03\x04" else 8)
        encrypted[at] |= 1
    yield "encrypted", bytes(encrypted), "cannot be read|damaged"
    yield "central directory cut off", honest[:-30], "is cut off"
    twice = archive(good).replace(b"PK\x05\x06", b"PK\x05\x06", 1)
    yield "trailing bytes", twice + bytes(70_000), "is cut off"


def _overlapping(root: bytes) -> bytes:
    """Many entries of the directory share one stored block (no compression needed)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("net/data.pkl", root)
        block = bytes(100_000)
        file.writestr("net/data/0", block)
        shared = file.infolist()[-1]
        for i in range(1, 200):
            entry = zipfile.ZipInfo(f"net/data/{i}")
            entry.header_offset = shared.header_offset
            entry.file_size = entry.compress_size = len(block)
            entry.CRC = zlib.crc32(block)
            file.filelist.append(entry)
    return buffer.getvalue()


@functools.cache
def corpus() -> dict[str, list[Case]]:
    """The whole corpus, by what it attacks."""
    return {
        "code": list(code_cases()),
        "memory": list(memory_cases()),
        "zip": list(zip_cases()),
    }
