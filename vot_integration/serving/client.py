"""A tracker in its real server process, timed as the toolkit times it."""

import contextlib
import logging
import os
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

import trax
from trax import TraxException
from trax.client import Client

from vot_integration.errors import EvaluationError
from vot_integration.plain_paths import PlainPaths
from vot_integration.regions.shapes import Shape
from vot_integration.serving.protocol import to_trax

_log = logging.getLogger(__name__)

_KILL_AFTER_S = 10


class ServedTracker:
    """Starts a server process and shakes hands with it.

    Args:
        tracker: name, as `arvot run` takes it.
        device: as the server takes it.
        precision: of its networks.
        weights: name or file; None for the tracker's own.

    Attributes:
        startup_s: seconds from the start of the process to the end of the handshake.

    Raises:
        EvaluationError: the server does not answer.
    """

    def __init__(self, tracker: str, device: str, precision: str, weights: str | None) -> None:
        command = [sys.executable, "-m", "vot_integration.server"]
        settings = {"tracker": tracker, "device": device, "precision": precision}
        if weights is not None:
            settings["weights"] = weights
        for name, value in settings.items():
            command += [f"--{name}", value]
        self._paths = PlainPaths()
        start = time.perf_counter()
        self._process = subprocess.Popen(
            command, env=_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._client: Client | None = None
        streams = self._process.stdin.fileno(), self._process.stdout.fileno()
        try:
            self._client = Client(streams, log=_log.debug)
        except TraxException as error:
            self.close()
            raise EvaluationError(f"the server of {tracker} does not start: {error}") from error
        self.startup_s = time.perf_counter() - start

    def initialize(self, frame: Path, target: Shape) -> float:
        """Start on a target; seconds until the answer.

        Raises:
            EvaluationError: the tracker fails.
        """
        return self._exchange(frame, target)

    def track(self, frame: Path) -> float:
        """Track one frame; seconds until the answer.

        Raises:
            EvaluationError: the tracker fails.
        """
        return self._exchange(frame, None)

    def _exchange(self, frame: Path, target: Shape | None) -> float:
        assert self._client is not None
        images = {trax.ImageChannel.COLOR: trax.FileImage.create(self._paths.of_file(str(frame)))}
        try:
            if target is None:
                _, seconds = self._client.frame(images, {}, [])
            else:
                _, seconds = self._client.initialize(images, [(to_trax(target), {})], {})
        except TraxException as error:
            raise EvaluationError(f"the tracker fails: {error}") from error
        return float(seconds)

    def peak_rss_mb(self) -> float | None:
        """Largest resident memory so far, 2^20 bytes; None where the system does not tell."""
        status = Path(f"/proc/{self._process.pid}/status")
        if not status.is_file():
            return None
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(fields["VmHWM"].split()[0]) / 1024

    def close(self) -> None:
        """End the process."""
        if self._client is not None:
            # Whoever has ended the session: libtrax crashes if it has to do so when it is freed.
            with contextlib.suppress(TraxException):
                self._client.quit()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        try:
            self._process.wait(_KILL_AFTER_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._paths.close()

    def __enter__(self) -> "ServedTracker":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _environment() -> dict[str, str]:
    """The environment without what would make the server speak or answer in another way."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("TRAX") and name != "ARVOT_OUTPUT"
    }
