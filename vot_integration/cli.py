"""The command line `arvot`."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import NoReturn

import alpharefine
from alpharefine.errors import UsageError
from vot_integration.errors import EvaluationError

COMMANDS = {
    "bench": "measure how fast a tracker is on this machine",
    "benchmark": "run and score trackers on OTB, LaSOT, TrackingNet, GOT-10k, UAV123, NfS, ...",
    "export": "write a refinement network for other runtimes",
    "doctor": "find what is wrong with an installation, a workspace and a tracker",
    "init": "make a workspace of the VOT toolkit",
    "evaluate": "run trackers in a workspace",
    "analyze": "compute scores of the results in a workspace",
    "report": "write one HTML file with numbers, curves and pictures",
    "compare": "compare two trackers, with bootstrap intervals",
    "pack": "run what is missing and pack results for a submission",
    "sequences": "make and check sequences in VOT format",
    "track": "follow a target through a video of your own, and draw it",
    "demo": "serve a local web page to try trackers on",
    "run": "evaluate a tracker with the official VOT toolkit and print its scores",
    "tune": "search a tracker's settings on sequences, and judge them on others",
    "train": "train the networks on local data, and measure what refinement can bring",
    "weights": "see, convert and merge network weights",
    "completion": "print a script that lets bash, zsh or fish complete what is typed",
}
"""Commands and what they do; each is a module `vot_integration.commands.<command>`."""

RESUMABLE = {"benchmark", "evaluate", "pack", "run", "sequences", "train", "tune", "weights"}
"""Commands that keep what they have finished."""

SPEAKING = {"train", "demo"}
"""Commands that start processes of their own, whose standard error is left as it is."""

DEBUG = "--debug"

OF_EXTRA = {
    "vot": frozenset(
        ("vot", "trax", "rich", "yaml", "jinja2", "matplotlib", "shapely", "shtab", "torchvision")
    ),
    "demo": frozenset(("starlette", "uvicorn", "websockets")),
}
"""Modules that the library does without, by the extra, such as `arvot[vot]`, that brings them."""


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see {self.prog} --help")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: command-line arguments; those of the process when None. `--debug` anywhere in
            them lets exceptions through, with their traceback.

    Returns:
        Exit status: 0 done; 1 the tracker or the toolkit failed, or a part of the input was left
        out; 2 bad input; 130 interrupted.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if DEBUG in arguments:
        return _execute([argument for argument in arguments if argument != DEBUG])
    if SPEAKING & set(arguments[:1]):
        return _attempt(arguments)
    from vot_integration.commands.native_output import held_back

    with held_back():
        return _attempt(arguments)


def _attempt(arguments: Sequence[str]) -> int:
    """Run a command; whatever fails is one line."""
    try:
        return _execute(arguments)
    except UsageError as error:
        return _fail(error, 2)
    except EvaluationError as error:
        return _fail(error, 1)
    except ModuleNotFoundError as error:
        module = (error.name or "").partition(".")[0]
        extra = next((name for name, brings in OF_EXTRA.items() if module in brings), None)
        if extra is None:
            return _fail(_describe(error), 1)
        lacks = f"the package {module} is not installed, which this command needs"
        return _fail(f"{lacks}: run pip install 'arvot[{extra}]'", 2)
    except KeyboardInterrupt:
        goes_on = "; the same command goes on where it stopped"
        return _fail(f"interrupted{goes_on if RESUMABLE & set(arguments[:1]) else ''}", 130)
    except Exception as error:
        return _fail(_describe(error), 1)


def _describe(error: Exception) -> str:
    message = " ".join(str(error).split())
    return f"{type(error).__name__}: {message} ({DEBUG} shows where)"


def _fail(reason: object, status: int) -> int:
    print(f"arvot: {reason}", file=sys.stderr)
    return status


def complete_parser() -> argparse.ArgumentParser:
    """The parser with all options of all commands, whose modules take seconds to import."""
    parser, subparsers = _make_parser()
    for name, text in COMMANDS.items():
        try:
            importlib.import_module(f"vot_integration.commands.{name}").add_parser(subparsers)
        except ModuleNotFoundError:
            # An extra is not installed.
            subparsers.add_parser(name, help=text)
    return parser


def _make_parser() -> tuple[_Parser, "argparse._SubParsersAction[_Parser]"]:
    parser = _Parser(prog="arvot", description="DiMP-super and Alpha-Refine under the VOT toolkit.")
    parser.add_argument("--version", action="version", version=f"arvot {alpharefine.__version__}")
    parser.add_argument(DEBUG, action="store_true", help="show the traceback of a failure")
    return parser, parser.add_subparsers(dest="command", required=True, metavar="COMMAND")


def _execute(arguments: Sequence[str]) -> int:
    parser, subparsers = _make_parser()
    chosen = arguments[0] if arguments else None
    for name, text in COMMANDS.items():
        if name == chosen:
            # Only the module of the command is imported: some of them take seconds.
            module = importlib.import_module(f"vot_integration.commands.{name}")
            module.add_parser(subparsers)
            arguments = getattr(module, "join_words", list)(arguments)
        else:
            subparsers.add_parser(name, help=text)
    values = parser.parse_args(arguments)
    status: int = values.run(values)
    return status
