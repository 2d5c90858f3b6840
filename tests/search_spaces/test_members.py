"""Small declared objects: their keys, what is missing, and the numbers in them."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from search_spaces.errors import Code, SearchSpaceError, raise_any
from search_spaces.members import read_list, read_object, whole_problems


@dataclass(frozen=True)
class Pair:
    """Two small numbers, of which the second may be left out."""

    first: int
    second: int = 2

    def __post_init__(self) -> None:
        raise_any(
            [
                *whole_problems(self.first, "/first", 1, 9),
                *whole_problems(self.second, "/second", 1, 9),
            ]
        )


def pair(raw: object, pointer: str = "/at") -> Pair:
    return read_object(Pair, raw, pointer)


def found(raw: object) -> set[tuple[str, str]]:
    with pytest.raises(SearchSpaceError) as caught:
        pair(raw)
    return {(problem.pointer, problem.code) for problem in caught.value.problems}


def test_an_object_gives_its_members_and_the_defaults() -> None:
    assert pair({"first": 1}) == Pair(1, 2)
    assert pair({"first": 1, "second": 9}) == Pair(1, 9)


def test_all_problems_of_an_object_are_found_at_once() -> None:
    assert found([1]) == {("/at", Code.WRONG_TYPE)}
    assert found({}) == {("/at/first", Code.MISSING)}
    assert found({"second": 0, "third": 1}) == {
        ("/at/first", Code.MISSING),
        ("/at/second", Code.OUT_OF_RANGE),
        ("/at/third", Code.UNKNOWN_KEY),
    }
    assert found({"first": None}) == {("/at/first", Code.WRONG_TYPE)}


def test_keys_that_do_not_apply_are_unknown() -> None:
    with pytest.raises(SearchSpaceError, match="/second: this key is not known here"):
        read_object(Pair, {"first": 1, "second": 3}, "", ("first",))


def test_a_list_names_each_wrong_entry() -> None:
    assert read_list(pair, [{"first": 1}], "/list", 2, "a list") == (Pair(1),)
    with pytest.raises(SearchSpaceError) as caught:
        read_list(pair, [{"first": 0}, {"first": 1}, 3], "/list", 3, "a list")
    assert [p.pointer for p in caught.value.problems] == ["/list/0/first", "/list/2"]
    with pytest.raises(SearchSpaceError, match="list at most 1"):
        read_list(pair, [{}, {}], "/list", 1, "a list")
    with pytest.raises(SearchSpaceError, match="use a list of pairs"):
        read_list(pair, "ab", "/list", 1, "a list of pairs")


@pytest.mark.parametrize(
    ("value", "code"),
    [(True, Code.WRONG_TYPE), (1.0, Code.WRONG_TYPE), (0, Code.OUT_OF_RANGE), (4, "out_of_range")],
)
def test_whole_numbers(value: object, code: str) -> None:
    assert list(whole_problems(1, "/n", 1, 3)) == list(whole_problems(3, "/n", 1, 3)) == []
    assert [(p.pointer, p.code) for p in whole_problems(value, "/n", 1, 3)] == [("/n", code)]
