"""`arvot weights`: get, see, check, convert and merge network weights."""

import argparse
from pathlib import Path

from rich import progress as bars
from rich.console import Console

from alpharefine.errors import UsageError
from alpharefine.weights.convert import convert
from alpharefine.weights.files import SUFFIX, file_sha256, merge_weights, open_weights
from alpharefine.weights.kinds import OFFICIAL_UNREAD
from alpharefine.weights.legacy import read_checkpoint
from alpharefine.weights.pickle_stream import shown
from alpharefine.weights.registry import WEIGHTS, WeightsSpec
from alpharefine.weights.store import cache_folder, fetch_weights, find_weights
from alpharefine.weights.verify import install_weights, verify_weights

_EXAMPLES = """\
examples:
  arvot weights list
  arvot weights fetch super_dimp --from ~/Downloads/super_dimp.pth.tar
  arvot weights verify
  arvot weights convert super_dimp.pth.tar --as super_dimp
  arvot weights convert ARnet_seg_mask_ep0040.pth.tar --as ar_v20 -o ar_v20.safetensors
  arvot weights merge super_dimp.safetensors ar_v20.safetensors -o stack.safetensors
  arvot weights info stack.safetensors

The authors' files are on a host that needs a browser: `arvot weights fetch NAME` says where, and
--from takes the file that you got there.
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `weights` to those of `arvot`."""
    parser = subparsers.add_parser(
        "weights",
        description="Get, see, check, convert and merge network weights.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    commands = parser.add_subparsers(dest="weights_command", required=True, metavar="COMMAND")

    command = commands.add_parser("convert", help="official .pth.tar file to safetensors")
    command.add_argument("file", type=Path, help=".pth.tar file, or a folder: the last one in it")
    command.add_argument("--as", dest="kind", required=True, choices=list(OFFICIAL_UNREAD))
    command.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar=f"OUT{SUFFIX}",
        help="file to write; default: the cache, where trackers find it by name",
    )

    command = commands.add_parser("merge", help="weights of several networks into one file")
    command.add_argument("files", type=Path, nargs="+", metavar="FILE")
    command.add_argument("-o", "--output", type=Path, required=True, metavar=f"OUT{SUFFIX}")

    commands.add_parser("list", help="registered weights, and which are on this machine")

    command = commands.add_parser("fetch", help="put registered weights where trackers find them")
    _add_name(command)
    command.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="FILE",
        help="a file that you fetched by hand, ours or the authors'",
    )

    command = commands.add_parser("verify", help="check weights on this machine")
    command.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="registered names (default: all that are on this machine)",
    )

    command = commands.add_parser("path", help="file of registered weights, for scripts")
    _add_name(command)

    command = commands.add_parser("info", help="what a weights file holds")
    command.add_argument("file", type=Path)


def _add_name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", choices=list(WEIGHTS), metavar="NAME", help=", ".join(WEIGHTS))


def run(args: argparse.Namespace) -> int:
    """Run `arvot weights ...`.

    Returns:
        Exit code: 0, or 1 when `verify` has found something wrong.

    Raises:
        UsageError: bad input.
    """
    # Paths and hashes must stay on one line, and as they are.
    console = Console(soft_wrap=True, markup=False, highlight=False)
    match args.weights_command:
        case "convert":
            _convert(console, args.file, args.kind, args.output)
        case "merge":
            sha256 = merge_weights(args.files, args.output)
            console.print(f"wrote {args.output}\nsha256 {sha256}")
        case "list":
            _list(console)
        case "info":
            _info(console, args.file)
        case "fetch":
            _fetch(console, WEIGHTS[args.name], args.source)
        case "path":
            console.print(_present(WEIGHTS[args.name]))
        case "verify":
            return _verify(console, args.names)
    return 0


def _convert(console: Console, file: Path, kind: str, output: Path | None) -> None:
    if output is None:
        output = cache_folder() / WEIGHTS[kind].file
        try:
            output.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{output.parent}: cannot be made ({error.strerror})") from error
    done = convert(file, kind, output)
    console.print(
        f"wrote {done.path} ({done.name}, {done.entries} entries)\n"
        f"sha256 {done.sha256}\n"
        f"made of {done.source}\n"
        f"sha256 {done.source_sha256}"
    )


def _list(console: Console) -> None:
    for spec in WEIGHTS.values():
        found = find_weights(spec)
        console.print(f"{spec.name}: {'not on this machine' if found is None else found}")
        facts = {
            "for": ", ".join(spec.kinds),
            "source": spec.source,
            "reported": spec.reported,
            "licence": spec.licence,
            "to get it": spec.obtain if found is None else "",
        }
        for fact, text in facts.items():
            if text:
                console.print(f"  {fact}: {text}")
    console.print(f"cache: {cache_folder()}")


def _fetch(console: Console, spec: WeightsSpec, source: Path | None) -> None:
    if source is not None:
        path = install_weights(spec, source)
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


def _present(spec: WeightsSpec) -> Path:
    path = find_weights(spec)
    if path is None:
        raise UsageError(f"weights '{spec.name}' are not on this machine: {spec.obtain}")
    return path


def _verify(console: Console, names: list[str]) -> int:
    here = {name: path for name, spec in WEIGHTS.items() if (path := find_weights(spec))}
    chosen = {}
    for name in names:
        if name not in WEIGHTS:
            raise UsageError(f"unknown weights '{shown(name)}'; choose from {', '.join(WEIGHTS)}")
        chosen[name] = _present(WEIGHTS[name])
    status = 0
    for name, path in (chosen or here).items():
        check = verify_weights(WEIGHTS[name], path)
        if check.problem is not None:
            status = 1
        console.print(f"{name}: {check.problem or f'good, sha256 {check.sha256}, {path}'}")
    return status


def _info(console: Console, path: Path) -> None:
    if path.suffix == SUFFIX:
        file = open_weights(path)
        console.print(f"{path}\nsha256 {file_sha256(path)}")
        for kind, facts in file.parts.items():
            tensors = file.read(kind).values()
            numbers = sum(tensor.numel() for tensor in tensors)
            console.print(f"{shown(kind)}: {len(tensors)} entries, {numbers} numbers")
            for fact, text in facts.items():
                console.print(f"  {shown(fact)}: {shown(text, 300)}")
    else:
        checkpoint = read_checkpoint(path)
        console.print(
            f"{checkpoint.path}\nsha256 {file_sha256(checkpoint.path)}\n"
            f"official file, network {checkpoint.network}, epoch {checkpoint.epoch}, "
            f"{len(checkpoint.tensors)} entries"
        )
