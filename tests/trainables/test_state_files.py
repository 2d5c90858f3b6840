"""States survive a file bit for bit; damaged, lying and hostile files are refused."""

from __future__ import annotations

import io
import json
import math
import pickle
import random
import re
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trainables import state_files
from trainables.state_files import MAX_DEPTH, StateError, load, save

ROOMY = 10**8


def round_trip(state: Any, folder: Path) -> dict[str, Any]:
    """Write and read a state, to which an epoch is added for that time."""
    path = folder / "state.npz"
    save(path, {"epoch": 7, **state})
    found = load(path, max_bytes=path.stat().st_size)
    assert found.pop("epoch") == 7
    return found


def same(a: Any, b: Any) -> bool:
    """Equal in type and in every bit."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return [*a] == [*b] and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.ndarray | np.generic):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, float):
        return a.hex() == b.hex()
    return bool(a == b)


SMALL = {
    "epoch": 3,
    "weights": np.arange(6.0).reshape(2, 3),
    "rates": [0.1, -0.0, {"order": np.array([2, 0, 1])}],
    "best": math.inf,
}

# --- what survives ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        None, True, False, 0, -(2**4095), 2**127 + 1, "", "grüß\ud800\0", [], {}, (), 0.1, -0.0,
        5e-324, math.inf, -math.inf, math.nan, [[1, (2, [3, None])]], {"a": {"b": ({"c": []},)}},
        {0: "int", "0": "text", -5: {7: 8}}, {"$array": "weights"}, {"$dict": 1, "x": 2}, {"": 1},
        np.float32(0.1), np.int64(-3), np.bool_(True), np.str_("text"), np.datetime64("2026-11-28"),
    ],
    ids=repr,
)  # fmt: skip
def test_plain_values_come_back_as_they_were(value: Any, tmp_path: Path) -> None:
    assert same(round_trip({"value": value}, tmp_path), {"value": value})


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((0, 3)), np.array(5.0), np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(12.0)[::-2], np.array([True, False]), np.array(["a", "längst"]),
        np.array([b"ab", b""]), np.arange(4, dtype=">i2"), np.array([1 + 2j], dtype="complex64"),
        np.array([math.nan, -math.inf, -0.0, 5e-324]), np.array(["2026-01-01"], dtype="M8[ns]"),
        np.array([7], dtype="m8[25s]"), np.arange(3, dtype="f2"), np.full((1,) * 20, 2, "uint64"),
        np.empty(3, dtype="S0"),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)  # fmt: skip
def test_arrays_come_back_as_they_were(array: np.ndarray[Any, Any], tmp_path: Path) -> None:
    found = round_trip({"array": array}, tmp_path)["array"]
    assert same(found, array)
    assert found.flags.writeable


def test_the_bits_of_a_nan_in_an_array_survive(tmp_path: Path) -> None:
    array = np.array([0x7FF8_0000_DEAD_BEEF, 0xFFF0_0000_0000_0001], dtype="u8").view("f8")
    assert same(round_trip({"array": array}, tmp_path)["array"], array)


def test_the_state_of_a_torch_optimizer_survives(tmp_path: Path) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    model(torch.ones(2, 3)).sum().backward()
    optimizer.step()
    state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
    found = round_trip(state, tmp_path)
    assert [*found["model"]] == [*state["model"]]
    assert same(found["model"]["1.weight"], state["model"]["1.weight"].numpy())
    assert same(found["optimizer"]["param_groups"], state["optimizer"]["param_groups"])
    assert found["optimizer"]["param_groups"][0]["betas"] == (0.9, 0.999)
    for number, moments in state["optimizer"]["state"].items():
        assert same(found["optimizer"]["state"][number], {k: v.numpy() for k, v in moments.items()})


def test_a_parameter_and_a_strided_tensor_survive(tmp_path: Path) -> None:
    weight = torch.nn.Parameter(torch.arange(6.0).reshape(2, 3))
    found = round_trip({"weight": weight, "turned": weight.T}, tmp_path)
    assert same(found["weight"], np.arange(6, dtype="f4").reshape(2, 3))
    assert np.array_equal(found["turned"], found["weight"].T)


def test_generators_go_on_where_they_were(tmp_path: Path) -> None:
    old, new = np.random.RandomState(1), np.random.default_rng(2)
    python, generator = random.Random(3), torch.Generator().manual_seed(4)
    old.normal()
    found = round_trip(
        {
            "old": old.get_state(),
            "old_by_name": old.get_state(legacy=False),
            "new": new.bit_generator.state,
            "python": python.getstate(),
            "torch": generator.get_state(),
        },
        tmp_path,
    )
    again, named = np.random.RandomState(0), np.random.RandomState(0)
    again.set_state(found["old"])
    named.set_state(found["old_by_name"])
    assert old.normal() == again.normal() == named.normal()
    assert old.permutation(9).tolist() == again.permutation(9).tolist()
    other = np.random.default_rng(0)
    other.bit_generator.state = found["new"]
    assert new.random() == other.random()
    twin = random.Random(0)
    twin.setstate(found["python"])
    assert python.random() == twin.random()
    drawn = torch.Generator()
    drawn.set_state(torch.from_numpy(found["torch"]))
    assert torch.equal(torch.rand(5, generator=generator), torch.rand(5, generator=drawn))


def test_subclasses_become_plain(tmp_path: Path) -> None:
    class Text(str):
        __slots__ = ()

    state = OrderedDict(a=OrderedDict([(1, Text("x"))]), b=np.arange(3).view(np.recarray))
    found = round_trip(state, tmp_path)
    assert same(found, {"a": {1: "x"}, "b": np.arange(3)})


_LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text()
    | st.integers(0, 4).map(np.arange) | st.floats(width=32).map(np.float32)
)  # fmt: skip
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text() | st.integers(), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(state=st.dictionaries(st.text().filter(lambda key: key != "epoch"), _VALUES, max_size=4))
def test_any_state_survives(
    state: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp() / "any_state"
    folder.mkdir(exist_ok=True)
    assert same(round_trip(state, folder), state)


# --- the file --------------------------------------------------------------------------------


def test_numpy_reads_the_arrays_by_name(tmp_path: Path) -> None:
    path = tmp_path / "state.npz"
    save(path, {**SMALL, "optimizer": {"state": {0: {"exp_avg": torch.ones(2)}}}})
    with np.load(path) as file:
        assert file["weights"].tolist() == [[0, 1, 2], [3, 4, 5]]
        assert file["optimizer/state/0/exp_avg"].tolist() == [1, 1]
        assert file["rates/2/order"].tolist() == [2, 0, 1]
        assert json.loads(file["state.json"])["state"]["epoch"] == 3


def test_equal_states_give_equal_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save(tmp_path / name, SMALL)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_names_of_members_stay_harmless_and_differ(tmp_path: Path) -> None:
    keys = [
        "../../etc",
        "/root",
        "a\0b",
        "a?b",
        "a/b",
        "",
        "..",
        "C:\\x",
        "ü",
        "n" * 500,
        "state.json",
    ]
    state = {key: np.array([number]) for number, key in enumerate(keys)} | {"epoch": 1}
    path = tmp_path / "state.npz"
    save(path, state)
    assert same(load(path, max_bytes=ROOMY), state)
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    assert len({*names}) == len(names) == len(keys) + 1
    assert all(re.fullmatch(r"[\w-][\w.-]*", name, re.ASCII) and len(name) < 120 for name in names)


@pytest.mark.parametrize("epoch", [0, 10**6, np.int64(3), np.uint8(4)])
def test_epochs(epoch: Any, tmp_path: Path) -> None:
    save(tmp_path / "x", {"epoch": epoch})
    assert same(load(tmp_path / "x", max_bytes=ROOMY), {"epoch": epoch})


def test_an_existing_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "state.npz"
    save(path, {"epoch": 1, "weights": np.ones(1000)})
    save(path, {"epoch": 2})
    assert load(path, max_bytes=ROOMY) == {"epoch": 2}


# --- what a state cannot hold ----------------------------------------------------------------


class Unknown:
    pass


def nested(depth: int) -> Any:
    value: Any = 0
    for _ in range(depth):
        value = [value]
    return value


def cycle() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ([1], "a state is a dict whose keys are text"),
        ({"weights": 1}, "a state has 'epoch', a whole number: how many epochs are trained"),
        ({"epoch": -1}, "a state has 'epoch', a whole number"),
        ({"epoch": 2.0}, "a state has 'epoch', a whole number"),
        ({"epoch": True}, "a state has 'epoch', a whole number"),
        ({"epoch": np.array(2)}, "a state has 'epoch', a whole number"),
        ({1: 2}, "a state is a dict whose keys are text"),
        ({"a": [0, {"b": Unknown()}]}, "state['a'][1]['b'] is of type Unknown: use arrays, None"),
        ({"a": b"raw"}, "state['a'] is of type bytes: use arrays, None"),
        ({"a": {1, 2}}, "state['a'] is of type set"),
        ({"a": 1j}, "state['a'] is of type complex"),
        ({"a": {(1, 2): 3}}, "state['a'] has a key of type tuple: use text or whole numbers"),
        ({"a": {True: 3}}, "state['a'] has a key of type bool"),
        ({"a": {np.int64(1): 3}}, "state['a'] has a key of type int64"),
        ({"a": 1 << 4096}, "state['a'] is a whole number of more than 4096 bits"),
        ({"a": np.array([None])}, "is a ndarray of dtype object: use an array of numbers"),
        ({"a": np.zeros(2, "i4,f4")}, "state['a'] is a ndarray of dtype [('f0', '<i4')"),
        ({"a": np.ma.masked_array([1.0], [True])}, "state['a'] is a MaskedArray of dtype float64"),
        ({"a": torch.ones(2, dtype=torch.bfloat16)}, "is a tensor without a numpy array"),
        ({"a": torch.eye(2).to_sparse()}, "is a tensor without a numpy array"),
        ({"a": cycle()}, "nested deeper than 64, or holds itself"),
        ({"a": nested(MAX_DEPTH)}, "nested deeper than 64"),
    ],
)  # fmt: skip
def test_other_values_are_refused_with_their_place(
    state: Any, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "state.npz"
    with pytest.raises(StateError, match=re.escape(message)):
        save(path, state)
    assert not path.exists()


def test_a_long_place_is_cut(tmp_path: Path) -> None:
    with pytest.raises(StateError, match=r"state\['n+\.\.\.n+'\] is of type") as caught:
        save(tmp_path / "x", {"n" * 10_000: Unknown()})
    assert len(str(caught.value)) < 500


def test_too_much_beside_the_arrays_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_files, "MAX_TREE_BYTES", 1000)
    with pytest.raises(StateError, match="put long lists of numbers into arrays"):
        save(tmp_path / "x", {"epoch": 1, "losses": [0.5] * 500})


def test_a_failed_write_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: Any, **keywords: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np.lib.format, "write_array", full)
    with pytest.raises(OSError, match="No space left"):
        save(tmp_path / "state.npz", SMALL)
    assert [*tmp_path.iterdir()] == []


# --- damaged, lying and hostile files --------------------------------------------------------


@pytest.mark.parametrize("flip", [0xFF, 0x01, 0x20])
def test_no_damaged_byte_gives_another_state(flip: int, tmp_path: Path) -> None:
    """Bytes that nothing depends on (dates, say) may change; all others are found out."""
    path = tmp_path / "state.npz"
    save(path, SMALL)
    content, harmless = path.read_bytes(), 0
    for place in range(len(content)):
        damaged = bytearray(content)
        damaged[place] ^= flip
        path.write_bytes(damaged)
        try:
            found = load(path, max_bytes=ROOMY)
        except StateError:
            continue
        harmless += 1
        assert same(found, SMALL), place
    assert harmless < len(content) / 3


def test_every_truncation_is_found_out(tmp_path: Path) -> None:
    path = tmp_path / "state.npz"
    save(path, SMALL)
    content = path.read_bytes()
    for size in range(len(content)):
        path.write_bytes(content[:size])
        with pytest.raises(StateError):
            load(path, max_bytes=ROOMY)


def test_a_cut_out_piece_is_found_out(tmp_path: Path) -> None:
    path = tmp_path / "state.npz"
    save(path, SMALL)
    content = path.read_bytes()
    for start in range(0, len(content) - 16, 7):
        path.write_bytes(content[:start] + content[start + 16 :])
        with pytest.raises(StateError):
            load(path, max_bytes=ROOMY)


def npy(array: Any, **keywords: Any) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asarray(array), **keywords)
    return file.getvalue()


def npy_with(header: str, data: bytes = b"", magic: bytes = b"\x93NUMPY\x01\x00") -> bytes:
    text = header.encode("latin1")
    return magic + len(text).to_bytes(2, "little") + text + data


def header(shape: str, descr: str = "<f8") -> str:
    return f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n"


def write(path: Path, *members: tuple[str, bytes], compression: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)


def tree(state: Any, **changes: Any) -> tuple[str, bytes]:
    content = {"format": 1, "state": state} | changes
    return "state.json", json.dumps(content).encode()


W = {"w": {"$array": "w"}}
ONE = ("w.npy", npy(np.ones(2)))


def test_a_file_made_by_hand_is_read(tmp_path: Path) -> None:
    write(tmp_path / "x", tree({"epoch": 1, **W}), ("w.npy", npy_with(header("(2,)"), bytes(16))))
    assert load(tmp_path / "x", max_bytes=ROOMY)["w"].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([], "there is no state.json"),
        ([ONE], "there is no state.json"),
        ([tree(W)], "KeyError"),
        ([tree({"epoch": 1}), ONE], "its members do not fit"),
        ([tree({"epoch": 1, **W}), ONE, ("v.npy", npy(1))], "its members do not fit"),
        ([tree(W), ONE], "a state has 'epoch', a whole number"),
        ([tree({**W, "v": {"$array": "w"}}), ONE], "names the array 'w' twice"),
        ([tree(W), ONE, ("README", b"x")], "no array"),
        ([tree([1])], "a state has 'epoch', a whole number"),
        ([tree({}, format=2)], "of a format that this version cannot read"),
        ([("state.json", b"[]")], "of a format that this version cannot read"),
        ([("state.json", b"{")], "is damaged"),
        ([("state.json", b"\xff\xfe\xfd")], "is damaged"),
        ([("state.json", b'{"format": 1, "state": {"a": NaN}}')], "state.json has NaN"),
        ([("state.json", b'{"format": 1, "state": ' + b"9" * 5000 + b"}")], "is damaged"),
        ([("state.json", b"[" * 100_000)], "RecursionError"),
        ([tree({"a": nested(MAX_DEPTH + 1)})], "nested deeper than 64"),
        ([tree({"a": {"$new": 1}})], "'$new', which this version cannot read"),
        ([tree({"a": {"$float": "1"}})], "'$float', which this version cannot read"),
        ([tree({"a": {"$dict": [[[], 1]]}})], "TypeError"),
        ([tree({"a": {"$dict": [[1, 2, 3]]}})], "ValueError"),
        ([tree({"a": {"$array": []}})], "KeyError"),
        ([tree(W), ("w.npy", npy(np.array([{}]), allow_pickle=True))], "no array that a state"),
        ([tree(W), ("w.npy", pickle.dumps(np.ones(3)))], "no array that a state"),
        ([tree(W), ("w.npy", b"")], "no array that a state"),
        ([tree(W), ("w.npy", npy(np.ones(2), version=(2, 0)))], "no array that a state"),
        ([tree(W), ("w.npy", npy(np.zeros(2, "i4,f4")))], "no array that a state"),
        ([tree(W), ("w.npy", npy(np.ones(2))[:-1])], "another size than its header says"),
        ([tree(W), ("w.npy", npy(np.ones(2)) + b"x")], "another size than its header says"),
        ([tree(W), ("w.npy", npy_with(header("(999999999999999999,)")))], "another size"),
        ([tree(W), ("w.npy", npy_with(header("(9999999999, 9999999999)")))], "another size"),
        ([tree(W), ("w.npy", npy_with(header("(0, 999999999999999999, 99999999999)")))], "damaged"),
        ([tree(W), ("w.npy", npy_with(header("(9999999999999999999999,)")))], "no array"),
        ([tree(W), ("w.npy", npy_with(header("(-1,)"), b""))], "no array that a state"),
        ([tree(W), ("w.npy", npy_with(header("(1,)", "|O8"), bytes(8)))], "another size"),
        ([tree(W), ("w.npy", npy_with(header("(1,)", "|V8"), bytes(8)))], "another size"),
        ([tree(W), ("w.npy", npy_with(header("(1,)", "<q77"), bytes(8)))], "is damaged"),
        ([tree(W), ("w.npy", npy_with(header("(" + "1" * 60_000 + ")")))], "no array that a state"),
        ([tree(W), ("w.npy", npy_with(header("(1,)"), bytes(8), b"\x93NUMPY\x03\x00"))], "array"),
    ],
)  # fmt: skip
def test_other_files_are_refused(
    members: list[tuple[str, bytes]], message: str, tmp_path: Path
) -> None:
    path = tmp_path / "state.npz"
    write(path, *members)
    with pytest.raises(StateError, match=re.escape(message)):
        load(path, max_bytes=ROOMY)


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "state.npz"
    zeros = npy(np.zeros(10**6))
    write(path, tree(W), ("w.npy", zeros), compression=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 100_000
    with pytest.raises(StateError, match="its members are larger than the file"):
        load(path, max_bytes=ROOMY)


def test_a_compressed_member_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.npz"
    write(path, tree(W), ONE, compression=zipfile.ZIP_DEFLATED)
    with path.open("ab") as file:
        file.write(bytes(1000))
    with pytest.raises(StateError, match="is compressed"):
        load(path, max_bytes=ROOMY)


def test_members_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    """Many entries of the directory point at one large member."""
    path = tmp_path / "state.npz"
    state = {str(number): {"$array": str(number)} for number in range(9)}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(*tree(state))
        archive.writestr("0.npy", npy(np.zeros(10_000)))
        whole = archive.getinfo("0.npy")
        for number in range(1, 9):
            twin = zipfile.ZipInfo(f"{number}.npy")
            for name in ("header_offset", "file_size", "compress_size", "CRC"):
                setattr(twin, name, getattr(whole, name))
            archive.filelist.append(twin)
            archive.NameToInfo[twin.filename] = twin
    with pytest.raises(StateError, match="its members are larger than the file"):
        load(path, max_bytes=ROOMY)


def test_a_member_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.npz"
    with pytest.warns(UserWarning, match="Duplicate name"):
        write(path, tree(W), ONE, ONE)
    with pytest.raises(StateError, match="a member is there twice"):
        load(path, max_bytes=ROOMY)


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.npz"
    write(path, tree(W), ONE)
    content = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.rindex(mark) + offset] |= 1
    path.write_bytes(content)
    with pytest.raises(StateError, match="encrypted"):
        load(path, max_bytes=ROOMY)


def test_a_file_larger_than_allowed_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "state.npz"
    save(path, SMALL)
    size = path.stat().st_size
    with pytest.raises(StateError, match=f"{size:,} bytes, more than {size - 1:,}"):
        load(path, max_bytes=size - 1)


def test_a_large_tree_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "state.npz"
    write(path, ("state.json", b" " * (state_files.MAX_TREE_BYTES + 1)))
    with pytest.raises(StateError, match=r"state\.json has more than"):
        load(path, max_bytes=ROOMY)


def test_a_missing_file_is_not_a_damaged_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none.npz", max_bytes=1)


@given(content=st.binary(max_size=300))
def test_any_bytes_are_refused(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "any_bytes.npz"
    path.write_bytes(content)
    with pytest.raises(StateError):
        load(path, max_bytes=ROOMY)
