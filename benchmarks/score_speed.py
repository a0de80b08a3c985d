"""How long `arvot benchmark score` takes for one tracker on a set of LaSOT's size.

Writes the files of 280 sequences with 685,000 frames into a temporary folder, ground truth and
answers with two decimals, and times the command in a process of its own:

    taskset -c 0 python benchmarks/score_speed.py
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

SEQUENCES, FRAMES = 280, 685_000


def write_set(folder: Path, seed: int = 0) -> None:
    """Write ground truth in LaSOT's layout, and a tracker's answers beside it."""
    random = np.random.default_rng(seed)
    lengths = random.multinomial(FRAMES, np.full(SEQUENCES, 1 / SEQUENCES))
    (folder / "results").mkdir()
    for number, length in enumerate(lengths):
        steps = random.normal(0, 2, (length, 4))
        boxes = np.clip(np.array([200, 200, 80, 80]) + steps.cumsum(axis=0), 2, 1200)
        name = f"class{number // 4}-{number % 4 + 1}"
        place = folder / "truth" / f"class{number // 4}" / name
        place.mkdir(parents=True)
        np.savetxt(place / "groundtruth.txt", boxes, fmt="%d", delimiter=",")
        for flags in ("full_occlusion.txt", "out_of_view.txt"):
            np.savetxt(place / flags, random.random((1, length)) < 0.05, fmt="%d", delimiter=",")
        answers = boxes + random.normal(0, 15, boxes.shape)
        np.savetxt(folder / "results" / f"{name}.txt", answers, fmt="%.2f", delimiter=",")


def main() -> None:
    """Print the seconds of each run of the command, and those in which it had a core."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as name:
        write_set(Path(name))
        command = [sys.executable, "-m", "vot_integration", "benchmark", "score", "results"]
        command += ["--truth", "truth", "--layout", "lasot"]
        for _ in range(runs):
            started, used = time.perf_counter(), _processor_seconds()
            subprocess.run(command, cwd=name, check=True, stdout=subprocess.DEVNULL)
            passed = time.perf_counter() - started
            sys.stdout.write(f"{passed:.1f} s, {_processor_seconds() - used:.1f} s of a core\n")


def _processor_seconds() -> float:
    """What child processes have computed, on whichever core: the same on a busy machine."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
