"""`arvot weights`: get, see, check, convert and merge network weights."""

import argparse
from pathlib import Path
from typing import TypeAlias

from rich import progress as bars

from alpharefine.catalogue import TRACKERS
from alpharefine.errors import UsageError
from alpharefine.nets.registry import WEIGHTS, networks_of
from alpharefine.nets.spec import SUFFIX, WeightsSpec
from alpharefine.weights.contents import list_contents
from alpharefine.weights.convert import OFFICIAL, convert
from alpharefine.weights.files import file_sha256, merge_weights, open_weights
from alpharefine.weights.pickle_stream import shown
from alpharefine.weights.store import cache_folder, fetch_weights, find_weights
from alpharefine.weights.verify import install_weights, verify_weights
from vot_integration.commands.options import add_command
from vot_integration.commands.terminal import plain_console

_Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

_EXAMPLES = """\
  arvot weights list
      what there is, what of it is on this machine, and how to get the rest
  arvot weights fetch super_dimp --from ~/Downloads/super_dimp.pth.tar
      take a file that you have downloaded
  arvot weights verify
      check all that is on this machine

`arvot weights COMMAND --help` has more. The authors' files are on a host that needs a browser:
`arvot weights fetch NAME` says where, and --from takes the file that you got there.
"""

_LIST_EXAMPLES = """\
  arvot weights list
"""

_FETCH_EXAMPLES = """\
  arvot weights fetch super_dimp
      says where the file is
  arvot weights fetch super_dimp --from ~/Downloads/super_dimp.pth.tar
      takes it: checked, converted and put where trackers find it
"""

_VERIFY_EXAMPLES = """\
  arvot weights verify
      all that are on this machine
  arvot weights verify lite super_dimp

exit status: 0 all are good, 1 something is wrong with one
"""

_PATH_EXAMPLES = """\
  cp "$(arvot weights path lite)" elsewhere/
"""

_INFO_EXAMPLES = """\
  arvot weights info stack.safetensors
  arvot weights info super_dimp.pth.tar
"""

_CONVERT_EXAMPLES = """\
  arvot weights convert super_dimp.pth.tar --as super_dimp
      to where trackers find it by name, as `arvot weights fetch` does
  arvot weights convert ARnet_seg_mask_ep0040.pth.tar --as ar_v20 -o ar_v20.safetensors
      to a file, for --weights ar_v20.safetensors
"""

_MERGE_EXAMPLES = """\
  arvot weights merge super_dimp.safetensors ar_v20.safetensors -o stack.safetensors
      one file for --weights stack.safetensors
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `weights` to those of `arvot`."""
    parser = add_command(
        subparsers,
        "weights",
        _run_list,
        "Get, see, check, convert and merge network weights.",
        _EXAMPLES,
    )
    commands = parser.add_subparsers(dest="weights_command", required=True, metavar="COMMAND")

    for add in (
        _add_list,
        _add_fetch,
        _add_verify,
        _add_path,
        _add_info,
        _add_convert,
        _add_merge,
    ):
        add(commands)


def _add_list(commands: _Commands) -> None:
    text = "Registered weights, which are on this machine, and how to get the others."
    add_command(commands, "list", _run_list, text, _LIST_EXAMPLES)


def _add_fetch(commands: _Commands) -> None:
    text = "Put registered weights where trackers find them."
    command = add_command(commands, "fetch", _run_fetch, text, _FETCH_EXAMPLES)
    _add_name(command)
    command.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="FILE",
        help="a file that you have downloaded: the authors' .pth.tar, or one of ours",
    )


def _add_verify(commands: _Commands) -> None:
    text = "Check weights on this machine: sha256, names, shapes, finite numbers."
    command = add_command(commands, "verify", _run_verify, text, _VERIFY_EXAMPLES)
    command.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="registered names (default: all that are on this machine)",
    )


def _add_path(commands: _Commands) -> None:
    text = "Print the file of registered weights, for scripts."
    _add_name(add_command(commands, "path", _run_path, text, _PATH_EXAMPLES))


def _add_info(commands: _Commands) -> None:
    text = "What a weights file holds."
    command = add_command(commands, "info", _run_info, text, _INFO_EXAMPLES)
    command.add_argument(
        "file", type=Path, metavar="FILE", help=f"{SUFFIX} file, or the authors' .pth.tar"
    )


def _add_convert(commands: _Commands) -> None:
    text = f"Make a {SUFFIX} file of the authors' .pth.tar."
    command = add_command(commands, "convert", _run_convert, text, _CONVERT_EXAMPLES)
    command.add_argument(
        "file", type=Path, metavar="FILE", help=".pth.tar file, or a folder: the last one in it"
    )
    command.add_argument(
        "--as",
        dest="network",
        required=True,
        choices=list(OFFICIAL),
        metavar="NAME",
        help=f"which network it is: {', '.join(OFFICIAL)}",
    )
    command.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar=f"OUT{SUFFIX}",
        help="file to write (default: the cache, where trackers find it by name)",
    )


def _add_merge(commands: _Commands) -> None:
    text = "Put the weights of several networks into one file."
    command = add_command(commands, "merge", _run_merge, text, _MERGE_EXAMPLES)
    command.add_argument(
        "files",
        type=Path,
        nargs="+",
        metavar="FILE",
        help=f"{SUFFIX} files, each of other networks",
    )
    command.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar=f"OUT{SUFFIX}",
        help="file to write",
    )


def _add_name(parser: argparse.ArgumentParser) -> None:
    names = ", ".join(WEIGHTS)
    parser.add_argument(
        "name", choices=list(WEIGHTS), metavar="NAME", help=f"which weights: {names}"
    )


def _run_convert(args: argparse.Namespace) -> int:
    output = args.output
    if output is None:
        output = cache_folder() / WEIGHTS[args.network].file
        try:
            output.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{output.parent}: cannot be made ({error.strerror})") from error
    done = convert(args.file, args.network, output)
    plain_console().print(
        f"wrote {done.path} ({done.name}, {done.entries} entries)\n"
        f"sha256 {done.sha256}\n"
        f"made of {done.source}\n"
        f"sha256 {done.source_sha256}"
    )
    return 0


def _run_merge(args: argparse.Namespace) -> int:
    sha256 = merge_weights(args.files, args.output)
    plain_console().print(f"wrote {args.output}\nsha256 {sha256}")
    return 0


def _run_path(args: argparse.Namespace) -> int:
    plain_console().print(_present(WEIGHTS[args.name]))
    return 0


def _run_list(args: argparse.Namespace) -> int:
    console = plain_console()
    for spec in WEIGHTS.values():
        found = find_weights(spec)
        console.print(f"{spec.name}: {'not on this machine' if found is None else found}")
        facts = {
            "for": _purpose(spec),
            "source": spec.source,
            "reported": spec.reported,
            "license": spec.license,
            "to get it": spec.obtain if found is None else "",
        }
        for fact, text in facts.items():
            if text:
                console.print(f"  {fact}: {text}")
    console.print(f"cache: {cache_folder()}")
    return 0


def _purpose(spec: WeightsSpec) -> str:
    """The trackers that need weights, each with what else it needs; else who can take them."""
    networks = set(networks_of(spec))
    trackers = [tracker for tracker in TRACKERS.values() if networks & set(tracker.networks)]
    if not trackers:
        return f"alpharefine.refined(tracker, network={networks_of(spec)[0]!r})"
    return ", ".join(
        tracker.name
        + "".join(f" (with {other})" for other in sorted(set(tracker.networks) - networks))
        for tracker in trackers
    )


def _run_fetch(args: argparse.Namespace) -> int:
    console, spec = plain_console(), WEIGHTS[args.name]
    if args.source is not None:
        path = install_weights(spec, args.source)
    else:
        columns = (
            bars.BarColumn(),
            bars.DownloadColumn(),
            bars.TransferSpeedColumn(),
            bars.TimeRemainingColumn(),
        )
        shows = console.is_terminal
        with bars.Progress(*columns, console=console, transient=True, disable=not shows) as bar:
            task = bar.add_task(spec.name, total=spec.size)
            path = fetch_weights(
                spec, lambda done, total: bar.update(task, completed=done, total=total)
            )
    console.print(f"{spec.name}: {path}\nsha256 {file_sha256(path)}")
    return 0


def _present(spec: WeightsSpec) -> Path:
    path = find_weights(spec)
    if path is None:
        raise UsageError(f"weights '{spec.name}' are not on this machine: {spec.obtain}")
    return path


def _run_verify(args: argparse.Namespace) -> int:
    """Returns 1 when something is wrong with one of them."""
    console = plain_console()
    here = {name: path for name, spec in WEIGHTS.items() if (path := find_weights(spec))}
    chosen = {}
    for name in args.names:
        if name not in WEIGHTS:
            raise UsageError(f"unknown weights '{shown(name)}'; choose from {', '.join(WEIGHTS)}")
        chosen[name] = _present(WEIGHTS[name])
    status = 0
    for name, path in (chosen or here).items():
        check = verify_weights(WEIGHTS[name], path)
        if check.problem is not None:
            status = 1
            verdict = f"{check.problem}; delete it, then {WEIGHTS[name].obtain}"
        else:
            verdict = f"good, sha256 {check.sha256}, {path}"
        console.print(f"{name}: {verdict}")
    return status


def _run_info(args: argparse.Namespace) -> int:
    console, path = plain_console(), args.file
    if path.suffix == SUFFIX:
        file = open_weights(path)
        console.print(f"{path}\nsha256 {file_sha256(path)}")
        for network, facts in file.parts.items():
            tensors = file.read(network).values()
            numbers = sum(tensor.numel() for tensor in tensors)
            console.print(f"{shown(network)}: {len(tensors)} entries, {numbers} numbers")
            for fact, text in facts.items():
                console.print(f"  {shown(fact)}: {shown(text, 300)}")
    else:
        contents = list_contents(path)
        console.print(f"{contents.path}\nsha256 {file_sha256(contents.path)}")
        for group in contents.groups:
            if group.place == "net":
                net_type, epoch = (contents.facts.get(key) for key in ("net_type", "epoch"))
                count = len(group.tensors)
                console.print(f"official file, network {net_type}, epoch {epoch}, {count} entries")
            console.print(str(group))
        for fact, text in contents.facts.items():
            console.print(f"  {shown(fact)}: {text}")
    return 0
