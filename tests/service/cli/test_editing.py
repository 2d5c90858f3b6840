"""Commands that change tags, notes and the queue."""

from __future__ import annotations

import json

from tests.service.cli.commands import body, run
from tests.service.fake_api import FakeApi


def test_tags_are_set_taken_away_and_printed(api: FakeApi) -> None:
    api.add_job(tags={"old": "x"})
    result = run(api, "tag", "j1", "team=a=b", "--remove", "old")
    assert (result.exit_code, result.stdout) == (0, "team=a=b\n")
    assert body(api) == {"tags": {"team": "a=b", "old": None}}
    assert run(api, "tag", "j1").stdout == "team=a=b\n"
    assert json.loads(run(api, "tag", "j1", "--json").stdout)["tags"] == {"team": "a=b"}
    for wrong in (["plain"], ["a=1", "a=2"], ["a=1", "--remove", "a"]):
        assert run(api, "tag", "j1", *wrong).exit_code == 2


def test_a_note_is_written_and_printed(api: FakeApi) -> None:
    api.add_job()
    assert run(api, "note", "j1", "a first try").stderr == "job j1 has a note\n"
    assert body(api) == {"notes": "a first try"}
    assert run(api, "note", "j1").stdout == "a first try\n"
    assert "a first try" in run(api, "show", "j1").stdout
    assert run(api, "note", "j1", "").stderr == "job j1 has no note\n"


def test_the_queue_is_listed_and_changed(api: FakeApi) -> None:
    for name in "abc":
        api.add_job(name)
    listed = run(api, "queue").stdout.splitlines()
    assert listed[0].split() == ["PLACE", "ID", "NAME", "PRIORITY", "CREATED"]
    assert api.requests[-1][2] == {"state": "queued", "sort": "queue", "limit": "200"}
    assert "before j2" in run(api, "queue", "j1", "--before", "j2").stderr
    # The fake lists newest first: j3 stands first.
    for option, place in (("--first", "j3"), ("--last", "")):
        assert run(api, "queue", "j1", option).exit_code == 0
        (changed,) = [sent for verb, _, _, sent, _ in api.requests[-2:] if verb == "PATCH"]
        assert changed == {"before": place}
    for wrong in (["j1"], ["--first"], ["j1", "--first", "--last"]):
        assert run(api, "queue", *wrong).exit_code == 2
