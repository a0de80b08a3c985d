"""From protected descriptors to the last request: load, shake hands, answer, say why it ended."""

import logging
import os
from collections.abc import Callable

import trax

import alpharefine
from alpharefine.errors import UsageError
from alpharefine.trackers.base import Tracker
from vot_integration.outputs import resolve_output
from vot_integration.protocol import REGION_FORMATS
from vot_integration.session import Session, answer_requests
from vot_integration.tally import Tally
from vot_integration.watch import watch

_log = logging.getLogger(__name__)

_REASON_LENGTH = 500


def run(load: Callable[[str], Tracker], *, name: str, output: str | None, requests: int) -> int:
    """Serve one client; see `vot_integration.server.serve`.

    Args:
        load: makes the tracker, given its name without the suffix of the output.
        name: name under which the tracker is served.
        output: "mask", "rotated", "box", or None for what the name says.
        requests: descriptor on which requests arrive, unless TRAX_SOCKET is set.

    Returns:
        Exit code: 0 after the client quit, 2 after bad input, 1 after any other failure.
    """
    tally = Tally()
    watch(None if "TRAX_SOCKET" in os.environ else requests, tally.report)
    _log.info("arvot %s serves %s", alpharefine.__version__, name)
    server: trax.Server | None = None
    try:
        base, form = resolve_output(name, output)
        session = Session(load(base), form, tally)
        server = _shake_hands(name)
        answer_requests(server, session)
    except trax.TraxException as error:
        _log.error("the connection broke: %s", error)
        code = 1
    except (Exception, SystemExit) as error:
        _log.exception("the run failed")
        _give_up(server, name, error)
        code = 2 if isinstance(error, UsageError) else 1
    else:
        code = 0
    tally.report()
    return code


def _shake_hands(name: str) -> trax.Server:
    """Answer the client's greeting; the tracker must be ready, from now on its time counts."""
    return trax.Server(
        list(REGION_FORMATS),
        [trax.Image.PATH],
        [trax.ImageChannel.COLOR],
        tracker_name=name,
        tracker_description="served by arvot",
        tracker_family="alpharefine",
    )


def _give_up(server: trax.Server | None, name: str, error: BaseException) -> None:
    """Tell the client why the run ends.

    A failure to load is told after a handshake, in answer to the first request: a process that
    just ends makes the toolkit say "Unable to connect to tracker" and no more.
    """
    try:
        if server is None:
            server = _shake_hands(name)
            server.wait()
        server.quit(reason_of(error))
    except trax.TraxException as failure:
        _log.warning("the client could not be told: %s", failure)


def reason_of(error: BaseException) -> str:
    """One line that names an exception: the message alone of a UsageError, else with its type."""
    message = " ".join(str(error).split())
    if not isinstance(error, UsageError):
        message = f"{type(error).__name__}: {message}"
    return message[:_REASON_LENGTH]
