"""An archive's name follows from its bytes, and its limits from one number."""

from __future__ import annotations

from service.code.archive import BadArchive, Fault, Limits, digest_of


def test_an_archive_is_named_by_its_bytes() -> None:
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert digest_of(b"abc") == f"sha256:{digest}"


def test_a_larger_archive_may_hold_more_bytes_but_not_more_files() -> None:
    small, large = Limits.of(1_000), Limits.of(2_000)
    assert (small.packed, large.packed) == (1_000, 2_000)
    assert large.unpacked == 2 * small.unpacked > large.packed
    assert large.entries == small.entries == Limits().entries


def test_what_is_wrong_is_for_people_and_for_programs() -> None:
    error = BadArchive(Fault.LINK, "a link", "leave it out")
    assert str(error) == error.detail == "a link"
    assert (error.fault.value, error.hint) == ("link", "leave it out")
