"""A small sequence, and the toolkit's runtime around the debug tracker."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
from vot.dataset import Sequence, load_sequence
from vot.tracker import Registry, TrackerRuntime

ROOT = Path(__file__).resolve().parents[2]
HEIGHT, WIDTH, LENGTH = 120, 160, 8

Launch = Callable[..., "contextmanager[TrackerRuntime]"]


@pytest.fixture
def sequence(tmp_path: Path) -> Sequence:
    """Eight frames of noise in VOT format, a rectangle as the ground truth."""
    folder = tmp_path / "sequence"
    (folder / "color").mkdir(parents=True)
    random = np.random.default_rng(0)
    for number in range(1, LENGTH + 1):
        image = random.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / "color" / f"{number:08d}.jpg"), image)
    (folder / "groundtruth.txt").write_text("40,30,40,30\n" * LENGTH)
    (folder / "sequence").write_text(
        "channels.color=color/%08d.jpg\nformat=default\nfps=30\nname=sequence\n"
        f"width={WIDTH}\nheight={HEIGHT}\nlength={LENGTH}\n"
    )
    return load_sequence(str(folder))


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Folder of the server's logs."""
    return tmp_path / "logs"


@pytest.fixture
def launch(tmp_path: Path, logs: Path) -> Launch:
    """Start a registered tracker: `launch(faults="nan", output="box")`."""

    @contextmanager
    def start(
        faults: str = "",
        output: str = "",
        *,
        name: str = "Debug",
        command: str = "tests.serving.debug_tracker",
        **entries: str,
    ) -> Iterator[TrackerRuntime]:
        settings = {
            "protocol": "traxpython",
            "command": command,
            "paths": str(ROOT),
            "env_ARVOT_TRACKER": name,
            "env_ARVOT_OUTPUT": output,
            "env_ARVOT_LOG_DIR": str(logs),
            "env_DEBUG_FAULTS": faults,
            "env_OMP_NUM_THREADS": "1",
            **entries,
        }
        registry = tmp_path / "registry"
        registry.mkdir(exist_ok=True)
        lines = [f"[{name or 'Debug'}]", *(f"{key} = {value}" for key, value in settings.items())]
        (registry / "trackers.ini").write_text("\n".join(lines) + "\n")
        with Registry([str(registry)])[name or "Debug"].runtime() as runtime:
            yield runtime

    return start


def log_text(logs: Path) -> str:
    """All logs of a test, binary output included."""
    return "\n".join(path.read_text(errors="replace") for path in sorted(logs.glob("*.log")))


def process_id(runtime: TrackerRuntime) -> int:
    """Process of a started runtime."""
    return int(runtime._process._process.pid)
