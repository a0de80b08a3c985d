"""The TraX server: one process that serves a tracker to the VOT toolkit.

Run by the toolkit as `python -m vot_integration.server`; see `main` for its settings. To serve a
tracker of your own, call `serve` from a module that the toolkit starts.

This module imports nothing heavy: the standard descriptors must be protected, and the environment
set, before numerical libraries come in.
"""

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vot_integration.serving.process import protect_descriptors, set_compute_defaults
from vot_integration.serving.run_log import log_to_stderr, open_log

if TYPE_CHECKING:
    from alpharefine.types import MultiTracker, Tracker

_log = logging.getLogger(__name__)

ONE, SEVERAL = "one", "several"
"""Values of $ARVOT_OBJECTS."""

ON = "on"
"""Value of $ARVOT_PRESENCE; the other one is off."""


def serve(
    load: Callable[[str], "Tracker | MultiTracker"], *, name: str, output: str | None = None
) -> int:
    """Serve a tracker over TraX until the client quits.

    Descriptors 0, 1 and 2 belong to the run's log afterwards. The tracker is loaded before the
    handshake, where no time limit runs. Whatever fails, in loading or later, reaches the client as
    one line, and the log with its traceback.

    Args:
        load: makes the tracker, given its name without the suffix of the output; heavy imports
            belong in here. One with a method `add` (`alpharefine.types.MultiTracker`) is asked for
            several objects at a time.
        name: name under which the tracker is served; `_rotated` or `_box` at its end choose the
            output.
        output: "mask", "rotated" or "box", as an alternative to the suffix.

    Returns:
        Exit code: 0 after the client quit, 2 after bad input, 1 after any other failure.

    Example:
        >>> from my_package import MyTracker  # doctest: +SKIP
        >>> raise SystemExit(serve(lambda name: MyTracker(), name="Mine", output="mask"))
    """
    descriptor, path = open_log("_".join(filter(None, (name, output))))
    requests = protect_descriptors(descriptor)
    log_to_stderr()
    set_compute_defaults()
    _log.info("log %s, process %d, Python %s", path, os.getpid(), sys.version.split()[0])

    from vot_integration.serving.service import run

    return run(load, name=name, output=output, requests=requests, log=path)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve a cataloged tracker; every option can also be an environment variable.

    Args:
        arguments: command line without the program's name; None takes the process's own.

    Returns:
        Exit code as of `serve`.
    """
    options = _parse(arguments)
    if os.isatty(0) and "TRAX" not in os.environ:
        sys.stderr.write(
            "this server speaks TraX with the VOT toolkit: start it through `arvot run` "
            "or `vot evaluate`\n"
        )
        return 2

    def load(name: str) -> "Tracker | MultiTracker":
        from alpharefine.build import build_guarded_tracker, build_multi_tracker
        from alpharefine.multi.config import multi_config
        from alpharefine.overrides import configured

        spec = configured(name, Path(options.config) if options.config else None)
        settings = {"device": options.device, "precision": options.precision}
        weights = options.weights or None
        if options.objects == ONE:
            return build_guarded_tracker(spec, **settings, weights=weights)
        config = multi_config(name, presence=options.presence == ON)
        return build_multi_tracker(spec, **settings, weights=weights, config=config)

    return serve(load, name=options.tracker, output=options.output)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m vot_integration.server", description="Serve a tracker to the VOT toolkit."
    )
    allowed: dict[str, tuple[str, str] | None] = {}
    for option, default, text, choices in (
        ("tracker", "", "name in the catalog; with _rotated or _box it names the output too", None),
        ("output", "", "form of the answers: mask (default), rotated or box", None),
        ("weights", "", "name or file of the weights instead of the tracker's own", None),
        ("device", "auto", "auto, cpu, cuda, cuda:N or mps", None),
        ("precision", "auto", "precision of the networks", None),
        ("config", "", "TOML file of settings, such as arvot tune writes", None),
        ("objects", ONE, "one object, or several at a time as in VOTS", (ONE, SEVERAL)),
        ("presence", ON, "of several objects: say which are absent, or never", (ON, "off")),
    ):
        variable = f"ARVOT_{option.upper()}"
        value = os.environ.get(variable) or default
        parser.add_argument(f"--{option}", default=value, help=f"{text} [${variable}]")
        allowed[option] = choices
    options = parser.parse_args(arguments)
    for option, choices in allowed.items():
        if choices is not None and getattr(options, option) not in choices:
            parser.error(f"{option} is {getattr(options, option)!r}: give {' or '.join(choices)}")
    return options


if __name__ == "__main__":
    sys.exit(main())
