"""Writes a trainable's state to one ``.npz`` file and reads it back, without pickle.

The file is an uncompressed zip archive. Each array is a member ``NAME.npy``, so that
``numpy.load(file)["weights"]`` works; ``state.json`` has everything else and the arrays' places:
``{"format": 1, "state": {"epoch": 3, "weights": {"$array": "weights"}}}``. Names of nested arrays
are joined by "/": ``optimizer/state/0/exp_avg``.

A state holds arrays, ``None``, booleans, whole numbers, floats, text, lists, tuples and dicts. Keys
are text or whole numbers. All come back bit for bit, also floats that are not finite. A torch
tensor comes back as a numpy array, a subclass of dict, list or tuple as a plain one.

A file is data from outside: :func:`load` checks all sizes before it makes an array, and refuses
pickles and object arrays.
"""

from __future__ import annotations

import json
import math
import os
import re
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray

TREE = "state.json"
FORMAT = 1
#: Limits of a state, of writing and of reading alike.
MAX_DEPTH = 64
MAX_TREE_BYTES = 16 * 2**20
MAX_INT_BITS = 4096
#: Kinds of dtype that numpy writes without pickle: booleans, numbers, bytes, text and times.
_KINDS = "?biufcSUmM"

_Array = NDArray[Any]
_Place = tuple[str | int, ...]
_REMEDY = (
    "use arrays, None, booleans, numbers, text, lists, tuples and dicts (for bytes, "
    "numpy.frombuffer(value, 'uint8'))"
)
#: What a member's name does not have: other characters, and dots at the beginning of a part.
_UNSAFE = re.compile(r"[^\w.-]|^\.+", re.ASCII)
#: A header of format 1.0, as numpy writes it for an array without fields.
_HEADER = re.compile(
    r"\{'descr': '([<>|][a-zA-Z]\d{1,9}(?:\[\w{1,9}\])?)', 'fortran_order': (?:True|False), "
    r"'shape': \((\d{1,18},|\d{1,18}(?:, \d{1,18})+|)\), \} *\n"
)
_MAGIC = b"\x93NUMPY\x01\x00"
#: What the libraries raise for a damaged file, where it is not :class:`StateError`.
_DAMAGE = (
    BadZipFile, EOFError, LookupError, OSError, RuntimeError, TypeError, ValueError, struct.error
)  # fmt: skip


class StateError(ValueError):
    """A state cannot be written, or a file holds none; says where in it and what to do."""


def save(path: Path, state: Mapping[str, Any]) -> None:
    """Write ``state`` to the file ``path``, over one that is there; equal states, equal bytes.

    Raises :class:`StateError` for a value that a state cannot hold or without ``"epoch"``, and
    ``OSError`` where the file cannot be written; then no file is left.
    """
    write(path, state, check=_check_epoch)


def write(
    path: Path, state: Mapping[str, Any], *, check: Callable[[Any], object] = lambda _: None
) -> None:
    """Write values as :func:`save` does; they need no ``"epoch"``. ``check`` may refuse them."""
    if not isinstance(state, Mapping) or not all(isinstance(key, str) for key in state):
        raise StateError("a state is a dict whose keys are text")
    encoder = _Encoder()
    content = {"format": FORMAT, "state": encoder.encode(dict(state), ())}
    check(state)
    tree = json.dumps(content, allow_nan=False).encode()
    if len(tree) > MAX_TREE_BYTES:
        raise StateError(
            f"the state has {len(tree):,} bytes beside its arrays, but at most {MAX_TREE_BYTES:,} "
            "are possible: put long lists of numbers into arrays"
        )
    try:
        with ZipFile(path, "w", ZIP_STORED) as archive:
            archive.writestr(ZipInfo(TREE), tree)
            for name, array in encoder.arrays.items():
                with archive.open(ZipInfo(f"{name}.npy"), "w", force_zip64=True) as file:
                    np.lib.format.write_array(file, array, version=(1, 0), allow_pickle=False)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def load(path: Path, *, max_bytes: int) -> dict[str, Any]:
    """Return the state in the file ``path``; its arrays are writable and belong to the caller.

    Raises :class:`StateError` where the file is larger than ``max_bytes``, damaged, cut short or
    not written by :func:`save`; ``OSError`` where it cannot be opened.
    """
    return read(path, max_bytes=max_bytes, check=_check_epoch)


def read(
    path: Path, *, max_bytes: int, check: Callable[[Any], object] = lambda _: None
) -> dict[str, Any]:
    """Return what :func:`write` wrote, as :func:`load` does."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > max_bytes:
            raise StateError(f"{path.name} has {size:,} bytes, more than {max_bytes:,}")
        try:
            with ZipFile(file) as archive:
                members = _checked_members(archive, size)
                tree = json.loads(archive.read(members.pop(TREE)), parse_constant=_no_constant)
                arrays = {name: _read(archive, info) for name, info in members.items()}
            decoder = _Decoder(arrays)
            state = decoder.decode(_content(tree), 0)
            check(state)
        except StateError as error:
            raise StateError(f"{path.name} holds no state: {error}") from error
        except _DAMAGE as error:
            raise StateError(f"{path.name} is damaged or holds no state: {error!r}") from error
    if arrays.keys() != decoder.used:
        raise StateError(f"{path.name} is damaged: its members do not fit {TREE}")
    return dict(state)


def _check_epoch(state: Any) -> None:
    epoch = state.get("epoch") if isinstance(state, Mapping) else None
    if isinstance(epoch, bool) or not isinstance(epoch, int | np.integer) or epoch < 0:
        raise StateError("a state has 'epoch', a whole number: how many epochs are trained")


@dataclass(slots=True)
class _Encoder:
    """Turns a state into JSON and gathers its arrays by member name, without copying them."""

    arrays: dict[str, _Array] = field(default_factory=dict)

    def encode(self, value: Any, at: _Place) -> Any:
        """Return ``value``, found at ``at`` in the state, as JSON."""
        if len(at) > MAX_DEPTH:
            raise StateError(f"{_shown(at)} is nested deeper than {MAX_DEPTH}, or holds itself")
        if isinstance(value, np.generic):
            return {"$scalar": self._keep(np.asarray(value), at)}
        if isinstance(value, np.ndarray):
            return {"$array": self._keep(value, at)}
        if callable(getattr(value, "detach", None)) and callable(getattr(value, "numpy", None)):
            return {"$array": self._keep(_from_tensor(value, at), at)}
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return str(value)
        if isinstance(value, int):
            return _whole(value, at)
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else {"$float": str(float(value))}
        if isinstance(value, Mapping):
            return self._mapping(value, at)
        if isinstance(value, list):
            return self._items(value, at)
        if isinstance(value, tuple):
            return {"$tuple": self._items(value, at)}
        raise StateError(f"{_shown(at)} is of type {type(value).__name__}: {_REMEDY}")

    def _items(self, values: Sequence[Any], at: _Place) -> list[Any]:
        return [self.encode(value, (*at, index)) for index, value in enumerate(values)]

    def _mapping(self, value: Mapping[Any, Any], at: _Place) -> Any:
        pairs = [(_key(key, at), self.encode(item, (*at, key))) for key, item in value.items()]
        if all(isinstance(key, str) and not key.startswith("$") for key, _ in pairs):
            return dict(pairs)
        return {"$dict": [list(pair) for pair in pairs]}

    def _keep(self, array: _Array, at: _Place) -> str:
        """Take an array; return its name: its place, in harmless characters."""
        if isinstance(array, np.ma.MaskedArray) or array.dtype.kind not in _KINDS:
            kind = f"{type(array).__name__} of dtype {array.dtype}"
            raise StateError(f"{_shown(at)} is a {kind}: use an array of numbers, booleans or text")
        parts = [_UNSAFE.sub("_", str(part))[:100] or "_" for part in at]
        wanted = name = "/".join(parts)
        count = 1
        while name in self.arrays:
            count += 1
            name = f"{wanted}-{count}"
        self.arrays[name] = array
        return name


def _from_tensor(value: Any, at: _Place) -> _Array:
    try:
        return np.asarray(value.detach().cpu().numpy())
    except (TypeError, RuntimeError) as error:
        message = f"{_shown(at)} is a tensor without a numpy array ({error}): convert it first"
        raise StateError(message) from error


def _key(key: Any, at: _Place) -> str | int:
    if isinstance(key, np.generic | bool) or not isinstance(key, str | int):
        message = f"{_shown(at)} has a key of type {type(key).__name__}: use text or whole numbers"
        raise StateError(message)
    return str(key) if isinstance(key, str) else _whole(key, at)


def _whole(value: int, at: _Place) -> int:
    if value.bit_length() > MAX_INT_BITS:
        raise StateError(f"{_shown(at)} is a whole number of more than {MAX_INT_BITS} bits")
    return int(value)


def _shown(at: _Place) -> str:
    """Return a place as Python writes it: ``state['optimizer'][0]``."""
    text = "state" + "".join(f"[{part!r}]" for part in at)
    return text if len(text) <= 200 else f"{text[:100]}...{text[-100:]}"


def _checked_members(archive: ZipFile, size: int) -> dict[str, ZipInfo]:
    """Return the members by name, after a check of all of their sizes."""
    members = {info.filename: info for info in archive.infolist()}
    if len(members) < len(archive.infolist()):
        raise StateError("a member is there twice")
    if TREE not in members:
        raise StateError(f"there is no {TREE}")
    if sum(info.file_size for info in members.values()) > size:
        raise StateError("its members are larger than the file")
    if members[TREE].file_size > MAX_TREE_BYTES:
        raise StateError(f"{TREE} has more than {MAX_TREE_BYTES:,} bytes")
    for name, info in members.items():
        if info.compress_type != ZIP_STORED or info.file_size != info.compress_size:
            raise StateError(f"member {name!r} is compressed")
        if name != TREE:
            with archive.open(info) as file:
                _check_header(file, info)
    return members


def _check_header(file: IO[bytes], info: ZipInfo) -> None:
    """Refuse an array whose header does not account for exactly the bytes of its member."""
    magic, length = file.read(len(_MAGIC)), int.from_bytes(file.read(2), "little")
    match = _HEADER.fullmatch(file.read(length).decode("latin1"))
    if magic != _MAGIC or match is None or not info.filename.endswith(".npy"):
        raise StateError(f"member {info.filename!r} is no array that a state can hold")
    dtype = np.dtype(match[1])
    count = math.prod(int(n) for n in match[2].replace(",", " ").split())
    expected = len(_MAGIC) + 2 + length + count * dtype.itemsize
    if dtype.kind not in _KINDS or expected != info.file_size:
        raise StateError(f"member {info.filename!r} has another size than its header says")


def _read(archive: ZipFile, info: ZipInfo) -> _Array:
    with archive.open(info) as file:
        array: _Array = np.lib.format.read_array(file, allow_pickle=False)
        file.read(1)  # at the end of the member its checksum is compared
    return array


def _content(tree: Any) -> Any:
    if not isinstance(tree, dict) or tree.get("format") != FORMAT:
        raise StateError(f"{TREE} is of a format that this version cannot read")
    return tree.get("state")


def _no_constant(text: str) -> Any:
    raise StateError(f"{TREE} has {text}")


@dataclass(slots=True)
class _Decoder:
    """Turns the JSON of :class:`_Encoder` back into values."""

    arrays: Mapping[str, _Array]
    used: set[str] = field(default_factory=set)

    def decode(self, value: Any, depth: int) -> Any:
        """Return the value that was encoded."""
        if depth > MAX_DEPTH:
            raise StateError(f"it is nested deeper than {MAX_DEPTH}")
        if isinstance(value, list):
            return [self.decode(item, depth + 1) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((tag, content),) = value.items()
            if tag.startswith("$"):
                return self._tagged(tag, content, depth)
        return {key: self.decode(item, depth + 1) for key, item in value.items()}

    def _tagged(self, tag: str, content: Any, depth: int) -> Any:
        if tag == "$array":
            return self._take(content)
        if tag == "$scalar":
            return self._take(content)[()]
        if tag == "$tuple" and isinstance(content, list):
            return tuple(self.decode(item, depth + 1) for item in content)
        if tag == "$dict" and isinstance(content, list):
            return {key: self.decode(item, depth + 1) for key, item in content}
        if tag == "$float" and content in ("nan", "inf", "-inf"):
            return float(content)
        raise StateError(f"{TREE} has {tag!r}, which this version cannot read")

    def _take(self, name: Any) -> _Array:
        member = f"{name}.npy"
        if member in self.used:
            raise StateError(f"{TREE} names the array {name!r} twice")
        self.used.add(member)
        return self.arrays[member]
