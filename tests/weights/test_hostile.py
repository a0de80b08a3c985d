import json
import os
import re
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpharefine.errors import UsageError
from alpharefine.weights.official_files import read_checkpoint
from tests.weights import hostile_files
from tests.weights.official_files import tiny_state, write_official

# Reads every file of a folder with hardly more memory than it has already, and records what the
# interpreter is asked to do meanwhile.
WORKER = """
import json, resource, sys
import encodings.cp437, encodings.raw_unicode_escape, encodings.unicode_escape  # loaded lazily else
from pathlib import Path
from alpharefine.errors import UsageError
from alpharefine.weights.convert import convert

folder, answers, events = Path(sys.argv[1]), {}, []
out = folder / "out.safetensors"
WATCHED = ("os.", "subprocess.", "exec", "compile", "import", "pickle.", "socket.", "ctypes.")
READER = ("os.listdir", "os.scandir")

def convert_quietly(path):
    try:
        convert(path, "super_dimp", out)
    except UsageError as error:
        return str(error)
    except BaseException as error:
        return f"FAULT {type(error).__name__}: {error}"
    return "FAULT: accepted"

convert_quietly(folder / "absent")
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
limit = used + 300_000_000
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

def watch(event, args):
    if event.startswith(WATCHED) and event not in READER:
        events.append(f"{event} {str(args)[:200]}")

sys.addaudithook(watch)
for path in sorted(folder.glob("*.pth.tar")):
    seen = len(events)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    message = convert_quietly(path)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    answers[path.name] = [message, events[seen:], grown]
answers["out"] = out.exists()
print(json.dumps(answers))
"""


def all_cases():
    return [case for cases in hostile_files.corpus().values() for case in cases]


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """Case name -> (message, what was run, growth of memory in KiB) of the whole corpus."""
    if not sys.platform.startswith("linux"):
        pytest.skip("address-space limits and /proc are needed")
    folder = tmp_path_factory.mktemp("hostile")
    names = {}
    for number, (name, content, _) in enumerate(all_cases()):
        names[f"{number:04}.pth.tar"] = name
        (folder / f"{number:04}.pth.tar").write_bytes(content)
    result = subprocess.run(
        [sys.executable, "-c", WORKER, str(folder)],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert result.returncode == 0, result.stderr[-2000:]
    found = json.loads(result.stdout)
    assert not found.pop("out"), "a file was written"
    assert not (folder / hostile_files.SENTINEL).exists(), "code ran"
    return {names[file]: answer for file, answer in found.items()}


def test_the_payloads_are_live(tmp_path, monkeypatch):
    """The corpus proves nothing unless its pickles do harm where they are trusted."""
    import pickle

    monkeypatch.chdir(tmp_path)
    ran = 0
    for name, content, _ in hostile_files.corpus()["code"]:
        if name in ("os.system, bare, protocol 2", "eval, bare, protocol 4", "instance opcode"):
            pickle.loads(content)
            (tmp_path / hostile_files.SENTINEL).unlink()
            ran += 1
    assert ran == 3


def test_every_case_is_there(answers):
    names = [name for name, _, _ in all_cases()]
    assert len(names) == len(set(names)) == len(answers)
    assert len(names) > 300


@pytest.mark.parametrize("attacks", ["code", "memory", "zip"])
def test_each_ends_in_one_clear_line(answers, attacks):
    for name, _, expected in hostile_files.corpus()[attacks]:
        message = answers[name][0]
        assert not message.startswith("FAULT"), f"{name}: {message}"
        assert re.search(expected, message.split(".pth.tar", 1)[1]), f"{name}: {message}"
        assert message.isprintable() and len(message) < 400, f"{name}: {message}"


def test_nothing_runs_and_nothing_is_imported(answers):
    ran = {name: events for name, (_, events, _) in answers.items() if events}
    assert ran == {}, ran


def test_memory_stays_small(answers):
    grown = {name: kib for name, (_, _, kib) in answers.items() if kib > 64_000}
    assert grown == {}


@pytest.fixture(scope="module", params=[False, True], ids=["stream", "zip"])
def official_bytes(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("official") / "net.pth.tar"
    return write_official(path, tiny_state(), zipped=request.param).read_bytes()


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz") / "net.pth.tar"


def read_or_refuse(path, content):
    path.write_bytes(content)
    try:
        read_checkpoint(path)
    except UsageError as error:
        message = str(error)
        assert message.isprintable() and len(message) < 400
        return message
    return None


def check_cut(scratch, official_bytes, data):
    length = data.draw(st.integers(0, len(official_bytes) - 1))
    assert read_or_refuse(scratch, official_bytes[:length]) is not None


def check_changed(scratch, official_bytes, data):
    content = bytearray(official_bytes)
    for _ in range(data.draw(st.integers(1, 8))):
        start = data.draw(st.integers(0, len(content) - 1))
        piece = data.draw(st.binary(max_size=6))
        content[start : start + data.draw(st.integers(0, 6))] = piece
    read_or_refuse(scratch, bytes(content))


OPCODES = st.sampled_from(
    [
        *(bytes([code]) for code in b"()]}.0NtlduaesbRQ\x81\x85\x86\x87\x88\x89\x8f\x90\x93\x94"),
        b"K\x03",
        b"J\xff\xff\xff\xff",
        b"\x8a\x08" + b"\xff" * 8,
        b"G" + b"\x7f\xf8" + bytes(6),
        b"X\x03\x00\x00\x00net",
        b"X\x01\x00\x00\x000",
        b"q\x00",
        b"h\x00",
        b"ccollections\nOrderedDict\n",
        b"ctorch\nFloatStorage\n",
        b"ctorch._utils\n_rebuild_tensor_v2\n",
        b"ctorch._utils\n_rebuild_parameter\n",
        b"cltr.admin.settings\nSettings\n",
        b"cos\nsystem\n",
        hostile_files.tensor(4, (2, 2), (2, 1)),
    ]
)


def check_opcodes(scratch, official_bytes, data):
    root = b"\x80\x02" + b"".join(data.draw(st.lists(OPCODES, max_size=40))) + b"."
    keys = b"\x80\x02](X\x01\x00\x00\x000e."
    storage = b"\x04" + bytes(7 + 16)
    if data.draw(st.booleans()):
        read_or_refuse(scratch, hostile_files.stream(root, keys, storage))
    else:
        read_or_refuse(scratch, hostile_files.archive(root, **{"0": bytes(16)}))


CHECKS = [check_cut, check_changed, check_opcodes]


@pytest.mark.parametrize("check", CHECKS)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data())
def test_fuzzed(check, scratch, official_bytes, data):
    check(scratch, official_bytes, data)


@pytest.mark.soak
@pytest.mark.parametrize("check", CHECKS)
@settings(max_examples=20_000, deadline=None)
@given(data=st.data())
def test_fuzzed_at_length(check, scratch, official_bytes, data):
    check(scratch, official_bytes, data)
