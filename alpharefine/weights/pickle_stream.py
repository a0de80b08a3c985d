"""Pickle streams read as plain data: nothing that they name is imported, looked up or called.

The standard library's `pickletools` splits a stream into opcodes; this module interprets those
that `torch.save` writes. A global is never more than its name. `REDUCE` on a name either runs one
of the functions that the caller supplies for it or gives an `Inert` object, so there is nothing
in a stream that could be executed, and memory stays proportional to the length of the stream
(`torch.load(weights_only=True)` lets a stream allocate as much as it likes, for instance through
`torch.Tensor(10**9)`).
"""

import pickletools
from collections.abc import Callable, Mapping
from typing import IO, Any

MAX_OPCODES = 500_000
"""A checkpoint with the state of its optimizer has about 50,000."""

_LITERALS: dict[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_ARGUMENTS = frozenset(
    [
        "INT",
        "LONG",
        "LONG1",
        "LONG4",
        "BININT",
        "BININT1",
        "BININT2",
        "FLOAT",
        "BINFLOAT",
        "STRING",
        "BINSTRING",
        "SHORT_BINSTRING",
        "UNICODE",
        "BINUNICODE",
        "SHORT_BINUNICODE",
        "BINUNICODE8",
        "BINBYTES",
        "SHORT_BINBYTES",
    ]
)
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_MARK = object()


class Named:
    """A global of a stream: its dotted name and nothing else."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class Inert:
    """Stands for an object of an allowed class; its contents are dropped."""

    __slots__ = ()


class StreamError(ValueError):
    """The stream is damaged or holds something that is not allowed. The message is one line."""


class RefusedNameError(StreamError):
    """The stream names something that is not allowed."""


def shown(text: object, length: int = 80) -> str:
    """Text from a foreign file, fit for a message: one line, printable, at most so long."""
    line = str(text)[: length + 1].encode("unicode_escape").decode()
    return line if len(line) <= length else line[:length] + "..."


class PickleStream:
    """Reads one pickle after the other from a binary stream.

    Values are None, bool, int, float, str, bytes, tuple, list, `Named`, `Inert`, what the
    supplied functions return, and dict. A dict keeps string keys alone: nothing else is wanted,
    and only their hashes cannot be made to collide.

    Args:
        stream: seekable binary stream.
        allowed: tells whether a global may be named, by its dotted name.
        functions: dotted name -> what stands for calling that global; others give `Inert`.
        persistent: what stands for a persistent id.
    """

    def __init__(
        self,
        stream: IO[bytes],
        allowed: Callable[[str], bool],
        functions: Mapping[str, Callable[..., object]],
        persistent: Callable[[object], object],
    ) -> None:
        self._stream = stream
        self._allowed = allowed
        self._functions = functions
        self._persistent = persistent
        self._opcodes_left = MAX_OPCODES
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def read(self) -> object:
        """The next pickle's value; the stream then stands right behind it.

        Raises:
            RefusedNameError: the pickle names a global that is not allowed.
            StreamError: it is damaged or too long.
        """
        self._stack, self._memo = [], {}
        try:
            for opcode, argument, _ in pickletools.genops(self._stream):
                self._opcodes_left -= 1
                if self._opcodes_left < 0:
                    raise StreamError(f"has more than {MAX_OPCODES} pickle operations")
                if opcode.name == "STOP":
                    break
                self._execute(opcode.name, argument)
            return self._stack.pop()
        except StreamError:
            raise
        except (ValueError, IndexError, KeyError, TypeError, OverflowError, MemoryError) as error:
            raise StreamError(
                f"is damaged or cut off ({shown(error)}): download it again"
            ) from error

    def _execute(self, name: str, argument: Any) -> None:
        if name in _LITERALS:
            self._stack.append(_LITERALS[name])
        elif name in _ARGUMENTS:
            self._stack.append(argument)
        elif name in ("PROTO", "FRAME"):
            pass
        elif not (self._collect(name) or self._remember(name, argument)):
            self._object(name, argument)

    def _collect(self, name: str) -> bool:
        """Tuples, lists and dicts. False when the opcode is none of theirs."""
        stack = self._stack
        match name:
            case "MARK":
                stack.append(_MARK)
            case "EMPTY_TUPLE":
                stack.append(())
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                stack.append(tuple(self._pop(_TUPLES[name])))
            case "TUPLE":
                stack.append(tuple(self._pop_to_mark()))
            case "EMPTY_LIST":
                stack.append([])
            case "LIST":
                stack.append(self._pop_to_mark())
            case "APPEND":
                self._extend(self._pop(1))
            case "APPENDS":
                self._extend(self._pop_to_mark())
            case "EMPTY_DICT":
                stack.append({})
            case "DICT":
                items = self._pop_to_mark()
                stack.append({})
                self._set_items(items)
            case "SETITEM":
                self._set_items(self._pop(2))
            case "SETITEMS":
                self._set_items(self._pop_to_mark())
            case _:
                return False
        return True

    def _remember(self, name: str, argument: Any) -> bool:
        """The memo. False when the opcode is none of its."""
        match name:
            case "PUT" | "BINPUT" | "LONG_BINPUT":
                self._memo[argument] = self._stack[-1]
            case "MEMOIZE":
                self._memo[len(self._memo)] = self._stack[-1]
            case "GET" | "BINGET" | "LONG_BINGET":
                self._stack.append(self._memo[argument])
            case _:
                return False
        return True

    def _object(self, name: str, argument: Any) -> None:
        """Globals and what a stream wants to be done with them."""
        match name:
            case "GLOBAL" | "INST":
                self._global(*argument.split(" ", 1))
                if name == "INST":
                    self._call(self._stack.pop(), tuple(self._pop_to_mark()))
            case "STACK_GLOBAL":
                self._global(*self._pop(2))
            case "REDUCE" | "NEWOBJ":
                self._call(*self._pop(2))
            case "BUILD":
                self._pop(1)
            case "EMPTY_SET":
                self._stack.append(Inert())
            case "ADDITEMS":
                self._pop_to_mark()
            case "BINPERSID":
                self._stack.append(self._persistent(self._stack.pop()))
            case _:
                raise StreamError(
                    f"is damaged, or was not written by torch.save (pickle operation {name}): "
                    "download it again"
                )

    def _global(self, module: str, name: str) -> None:
        dotted = f"{module}.{name}"
        if not self._allowed(dotted):
            raise RefusedNameError(
                f"names {shown(dotted)}, which is not allowed; nothing of it was run"
            )
        self._stack.append(Named(dotted))

    def _call(self, target: object, arguments: object) -> None:
        if not isinstance(target, Named) or not isinstance(arguments, tuple):
            raise StreamError("is damaged (calls something that is not a global)")
        function = self._functions.get(target.name)
        self._stack.append(Inert() if function is None else function(*arguments))

    def _extend(self, items: list[Any]) -> None:
        if isinstance(self._stack[-1], list):
            self._stack[-1].extend(items)

    def _set_items(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if isinstance(target, dict):
            pairs = zip(items[::2], items[1::2], strict=True)
            target.update((key, value) for key, value in pairs if isinstance(key, str))

    def _pop(self, count: int) -> list[Any]:
        items = self._stack[-count:]
        if len(items) < count or any(item is _MARK for item in items):
            raise StreamError("is damaged (pickle stack underflow)")
        del self._stack[-count:]
        return items

    def _pop_to_mark(self) -> list[Any]:
        items = []
        while (item := self._stack.pop()) is not _MARK:
            items.append(item)
        items.reverse()
        return items
