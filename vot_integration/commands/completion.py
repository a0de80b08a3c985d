"""`arvot completion`: a script that lets a shell complete what is typed."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from vot_integration.commands.options import add_command

SHELLS = ("bash", "zsh", "fish")

_EXAMPLES = """\
  arvot completion bash > ~/.local/share/bash-completion/completions/arvot
      for bash with bash-completion; without it: source the file in ~/.bashrc
  arvot completion zsh > ~/.zfunc/_arvot
      where ~/.zshrc has `fpath+=~/.zfunc` before `compinit`
  arvot completion fish > ~/.config/fish/completions/arvot.fish

It takes some seconds: all commands are looked at. New shells complete commands, options, trackers,
stacks, weights and files. Write the script again after an update.
"""

_TRACKERS = frozenset({"tracker", "trackers", "first", "second"})
_EXPERIMENTS = ("all", "baseline", "realtime", "unsupervised")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `completion` to those of `arvot`."""
    text = "Print a script that lets a shell complete commands, options and names."
    parser = add_command(subparsers, "completion", run, text, _EXAMPLES)
    parser.add_argument("shell", choices=SHELLS, help="which shell the script is for")


def run(args: argparse.Namespace) -> int:
    """Print the script."""
    import shtab

    from vot_integration.cli import complete_parser

    parser = complete_parser()
    for action in _actions(parser):
        _describe(action)
    sys.stdout.write(shtab.complete(parser, args.shell))
    return 0


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """All arguments of a parser and of its commands."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _actions(command)
        else:
            yield action


def _describe(action: argparse.Action) -> None:
    """Tell shtab what an argument takes; the parser is not used for anything else."""
    import shtab

    if action.choices is None and action.nargs != 0:
        action.choices = _names(action)
    is_path = action.type is Path or action.dest in ("source", "weights")
    if action.choices is None and is_path:
        is_folder = "DIR" in str(action.metavar) and "FILE" not in str(action.metavar)
        action.complete = shtab.DIRECTORY if is_folder else shtab.FILE  # type: ignore[attr-defined]


def _names(action: argparse.Action) -> Sequence[str] | None:
    """The names that an argument may have, besides others."""
    from vot_integration.toolkit.stacks import ALIASES, stack_names
    from vot_integration.workspaces.trackers_ini import registrations

    if action.dest in _TRACKERS and action.type is None:
        return list(registrations())
    if action.dest == "stack":
        return [*ALIASES, *stack_names()]
    return _EXPERIMENTS if action.dest == "experiments" else None
