"""From protected descriptors to the last request: load, shake hands, answer, say why it ended."""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import trax

import alpharefine
from alpharefine.errors import UsageError
from vot_integration.plain_paths import plain_text
from vot_integration.serving.process import watch
from vot_integration.serving.run_log import Tally

if TYPE_CHECKING:
    from alpharefine.types import MultiTracker, Tracker
    from vot_integration.serving.session import Answering

_log = logging.getLogger(__name__)

_REASON_LENGTH = 500

_REGION_FORMATS = [trax.Region.RECTANGLE, trax.Region.POLYGON, trax.Region.MASK]
"""With all three declared, a target arrives as the ground truth has it: libtrax's own conversions
between formats lose the shape."""


def run(
    load: Callable[[str], "Tracker | MultiTracker"],
    *,
    name: str,
    output: str | None,
    requests: int,
    log: Path,
) -> int:
    """Serve one client; see `vot_integration.server.serve`.

    Args:
        load: makes the tracker, given its name without the suffix of the output.
        name: name under which the tracker is served.
        output: "mask", "rotated", "box", or None for what the name says.
        requests: descriptor on which requests arrive, unless TRAX_SOCKET is set.
        log: log file of this run, named to the client when the run fails.

    Returns:
        Exit code: 0 after the client quit, 2 after bad input, 1 after any other failure.
    """
    tally = Tally()
    watch(None if "TRAX_SOCKET" in os.environ else requests, tally.report)
    _log.info("arvot %s serves %s", alpharefine.__version__, name)
    server: trax.Server | None = None
    try:
        # Here, so that the client also hears of an image library that does not load.
        from alpharefine.types import MultiTracker
        from vot_integration.regions.answers import resolve_output
        from vot_integration.serving.session import MultiSession, Session, answer_requests

        base, form = resolve_output(name, output)
        tracker = load(base)
        session: Answering
        if isinstance(tracker, MultiTracker):
            session = MultiSession(tracker, form, tally)
        else:
            session = Session(tracker, form, tally)
        server = _shake_hands(name, several=isinstance(session, MultiSession))
        answer_requests(server, session)
    except trax.TraxException as error:
        _log.error("the connection broke: %s", error)
        code = 1
    except (Exception, SystemExit) as error:
        _log.exception("the run failed")
        _give_up(server, name, reason_of(error, log))
        code = 2 if isinstance(error, UsageError) else 1
    else:
        code = 0
    tally.report()
    return code


def _shake_hands(name: str, *, several: bool = False) -> trax.Server:
    """Answer the client's greeting; the tracker must be ready, from now on its time counts.

    Args:
        name: under which the tracker is served.
        several: whether it follows several objects; the toolkit sends more than one to no other.
    """
    return trax.Server(
        _REGION_FORMATS,
        [trax.Image.PATH],
        [trax.ImageChannel.COLOR],
        tracker_name=plain_text(name),
        tracker_description="served by arvot",
        tracker_family="alpharefine",
        multiobject=several,
    )


def _give_up(server: trax.Server | None, name: str, reason: str) -> None:
    """Tell the client why the run ends.

    A failure to load is told after a handshake, in answer to the first request: a process that
    just ends makes the toolkit say "Unable to connect to tracker" and no more.
    """
    try:
        if server is None:
            server = _shake_hands(name)
            server.wait()
        server.quit(plain_text(reason))
    except trax.TraxException as failure:
        _log.warning("the client could not be told: %s", failure)


def reason_of(error: BaseException, log: Path) -> str:
    """One line for the client: a UsageError's own, else the exception's type, text and the log."""
    message = " ".join(str(error).split())[:_REASON_LENGTH]
    if isinstance(error, UsageError):
        return message
    return f"{type(error).__name__}: {message} (log: {log})"
