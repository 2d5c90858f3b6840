"""Trials of other tools' files, as a request's history has them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import optuna
import pytest

from results.export import to_json, trial_row, trials_csv
from results.records import TrialRecord
from results.states import Purpose, TrialState
from search_spaces import MOST_KNOWN, KnownTrial
from service.cli.history_files import Domains, Told, history_of, read_history
from tests.service.cli.commands import body, run
from tests.service.fake_api import FakeApi

OWN = [
    TrialRecord(0, TrialState.SUCCEEDED, {"rate": 0.5, "dropout": None, "layers": [1, 2]}, 42,
                metrics={"score": 0.25}, seconds=3.0),
    TrialRecord(1, TrialState.FAILED, {"rate": 0.1}, 42),
    TrialRecord(2, TrialState.SUCCEEDED, {"rate": 0.5}, 43, metrics={"score": 0.5},
                purpose=Purpose.CONFIRM),
]  # fmt: skip


def read(
    path: Path, text: str, names: tuple[str, ...] = (), domains: Domains | None = None
) -> Told:
    path.write_text(text, encoding="utf-8")
    known = domains or {name: {"low": 0, "high": 1} for name in names}
    return read_history(path, study=None, parameters=lambda: known)


@pytest.mark.parametrize(
    "text",
    [trials_csv(OWN), to_json({"items": [trial_row(t) for t in OWN]})],
    ids=["csv", "json"],
)
def test_our_own_exports_are_read(tmp_path: Path, text: str) -> None:
    told = read(tmp_path / "trials", text)
    assert (told.source, told.unfinished, told.repeated) == ("trials", 1, 1)
    (trial,) = told.trials
    assert trial["parameters"] == OWN[0].parameters
    assert trial["metrics"]["score"] == 0.25
    KnownTrial.from_json(trial)


def test_tables_of_other_tools_are_read(tmp_path: Path) -> None:
    ray = "validation_accuracy,config/rate,config/kind,status\n0.9,1e-3,adam,TERMINATED\n"
    assert read(tmp_path / "ray.csv", ray).trials == [
        {"parameters": {"rate": 0.001, "kind": "adam"}, "metrics": {"validation_accuracy": 0.9}}
    ]
    made = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    made.optimize(lambda t: t.suggest_float("x", 0, 1), n_trials=3)
    told = read(tmp_path / "optuna.csv", made.trials_dataframe().to_csv())
    assert [(t["parameters"], t["values"]) for t in told.trials] == [
        (trial.params, [trial.value]) for trial in made.trials
    ]


def test_a_plain_table_is_read_by_the_names_of_the_space(tmp_path: Path) -> None:
    text = "\ufeffrate,kind,note,score\r\n0.5,true,good,0.75\r\n,NaN,,\r\n.25,,,1\r\n"
    told = read(tmp_path / "plain.csv", text, ("rate", "kind"))
    assert told.trials == [
        {"parameters": {"rate": 0.5, "kind": True}, "metrics": {"score": 0.75}},
        {"parameters": {"rate": ".25"}, "metrics": {"score": 1.0}},
    ]
    assert told.unfinished == 1
    others = read(tmp_path / "plain.csv", "\n" + text[1:].replace(",", ";"), ("rate", "kind"))
    assert others.trials == told.trials


def test_a_table_between_semicolons_may_have_decimal_commas(tmp_path: Path) -> None:
    text = "rate;kind;score\n0,5;a,5;-0,75e-2\n,25;1,2,3;1\n"
    assert read(tmp_path / "comma.csv", text, ("rate", "kind")).trials == [
        {"parameters": {"rate": 0.5, "kind": "a,5"}, "metrics": {"score": -0.0075}},
        {"parameters": {"rate": ".25", "kind": "1,2,3"}, "metrics": {"score": 1.0}},
    ]


SIZES = {"values": ["64,32", "128"]}


@pytest.mark.parametrize(
    ("domain", "cells", "values"),
    [
        (SIZES, ("64,32", "128,64"), ["64,32", "128,64"]),
        ("64,32", ("64,32", "64,32"), ["64,32", "64,32"]),
        ({"value": "64,32"}, ("64,32", "1,5"), ["64,32", "1,5"]),
        ({"values": [0.5, "0,25"]}, ("0,5", "0,25"), [0.5, "0,25"]),
        ({"values": [0.5, 0.25]}, ("0,5", "?"), [0.5, "?"]),
        ({"low": 0, "high": 99}, ("64,32", "?"), [64.32, "?"]),
        (None, ("64,32", "1e-3"), [64.32, 0.001]),
        (None, ("64,32", "128,64,32"), ["64,32", "128,64,32"]),
        (None, ("64,32", "1,5"), [64.32, 1.5]),
    ],
)
def test_a_comma_is_a_decimal_one_where_the_parameter_or_the_column_is_of_numbers(
    tmp_path: Path, domain: Any, cells: tuple[str, str], values: list[Any]
) -> None:
    rows = "".join(f"{cell};0,5;?\n" for cell in cells)
    domains = {"other": 1} if domain is None else {"kind": domain}
    told = read(tmp_path / "comma.csv", f"params_kind;score;note\n{rows}", domains=domains)
    assert [trial["parameters"]["kind"] for trial in told.trials] == values
    assert [trial["metrics"] for trial in told.trials] == [{"score": 0.5}] * 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n\nconfig/x,score\n1e400,3\n\n99999999999999999999,3\n",
         "line 6, column config/x: 99999999999999999999 is too large"),
        ('x,score\n"a\nb",2\n', r'line 3, column x: "a\\nb" holds'),
        ('x,score\n"[1, [[[[1]]]]]",2\n', "line 2, column x: the value has more than 4 lists"),
        ("x,score\n0,5,2\n", "line 2: more cells than the 2 columns; put"),
        ('x,score\n1,2\n"1,2\n', "is not a table of comma-separated values: line 3"),
        ('[{"params": {"x": 1}, "value": 1}, {"params": {"x": {}}, "value": 1}]',
         "trial 2, /parameters/x: an object is not a value"),
        ('[{"params": {"x": 1}, "value": "good"}]', "trial 1, /values/0: "),
    ],
)  # fmt: skip
def test_a_trial_that_no_request_may_have_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read(tmp_path / "past.csv", text, ("x",))


@pytest.mark.parametrize(
    "text",
    [
        "params_rate,values_0,values_1\n0.5,inf,0.3\n0.25,0.1,0.2\n",
        '[{"params": {"rate": 0.5}, "values": [null, 0.3]},'
        ' {"params": {"rate": 0.25}, "values": [0.1, 0.2]}]',
    ],
    ids=["table", "json"],
)
def test_a_trial_that_lacks_one_of_its_values_is_left_out(tmp_path: Path, text: str) -> None:
    told = read(tmp_path / "past", text)
    assert told.trials == [{"parameters": {"rate": 0.25}, "values": [0.1, 0.2]}]
    assert told.unfinished == 1


@pytest.mark.parametrize("header", ["rate,rate,score", "config/rate,params_rate,score"])
def test_a_name_in_two_columns_is_refused(tmp_path: Path, header: str) -> None:
    with pytest.raises(ValueError, match="has rate in more than one column"):
        read(tmp_path / "twice.csv", f"{header}\n0.5,0.7,0.3\n", ("rate",))


def test_a_journal_of_optuna_is_known_as_one(tmp_path: Path) -> None:
    path = tmp_path / "journal.log"
    backend = optuna.storages.journal.JournalFileBackend(str(path))
    optuna.create_study(storage=optuna.storages.JournalStorage(backend)).optimize(
        lambda trial: trial.suggest_float("rate", 0, 1), n_trials=2
    )
    with pytest.raises(ValueError, match=r"is a journal of Optuna; .*trials_dataframe"):
        read(path, path.read_text(encoding="utf-8"))


def test_trials_that_confirmed_others_are_counted_as_such(tmp_path: Path) -> None:
    text = "rate,score,purpose,state\n0.5,0.3,search,succeeded\n0.5,0.2,confirm,succeeded\n"
    told = read(tmp_path / "confirmed.csv", text, ("rate",))
    assert (len(told.trials), told.unfinished, told.repeated) == (1, 0, 1)


@pytest.mark.parametrize(
    "values", [{"value": 0.5}, {"values": [0.5]}, {"values": {"0": 0.5}}], ids=str
)
def test_trials_of_optuna_as_json_are_read(tmp_path: Path, values: dict[str, Any]) -> None:
    trials = [
        {"number": 0, "state": "COMPLETE", "params": {"x": 1}, **values},
        {"number": 1, "state": "PRUNED", "params": {"x": 2}, "value": 0.25},
        {"number": 2, "state": "TrialState.COMPLETE", "params": {"x": 3}, "value": None},
    ]
    told = read(tmp_path / "trials.json", json.dumps(trials))
    assert told.trials == [{"parameters": {"x": 1}, "values": [0.5]}]
    assert told.unfinished == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column is a parameter"),
        ("a,b\n1,2\n", "no column is a parameter"),
        ('a,b\n"1,2\n', "not a table"),
        ("[1]", "not a list of trials"),
        ('{"a": 1}', "not a list of trials"),
        ("[{", "not valid JSON"),
        ('[{"params": {}, "metrics": "good"}]', "not a list of trials"),
        ("[" * 100_000, "not valid JSON"),
        ("[]", "no trial that has come to an end"),
        ("x,score\n", "no trial that has come to an end"),
        ('[{"params": {"x": 1}, "value": NaN}]', "no trial that has come to an end"),
    ],
)
def test_files_of_no_trials_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read(tmp_path / "file", text, ("x",))


def test_the_option_sends_the_trials_and_says_what_it_left_out(
    api: FakeApi, tmp_path: Path
) -> None:
    path = tmp_path / "past.csv"
    rows = [f"{n},0.5" for n in range(MOST_KNOWN + 2)]
    path.write_text("\n".join(["learning_rate,score", *rows, "1,"]), encoding="utf-8")
    result = run(api, "submit", "q3_mlp", "--strategy", "tpe", "--history", str(path))
    assert result.exit_code == 0, result.stderr
    sent = body(api)["history"]
    assert len(sent) == MOST_KNOWN
    assert sent[0] == {"parameters": {"learning_rate": 2}, "metrics": {"score": 0.5}}
    assert f"{MOST_KNOWN} trials of past.csv; left out: 1 without" in result.stderr
    assert f"the first 2, beyond {MOST_KNOWN}" in result.stderr


@pytest.mark.parametrize(
    ("space", "column"),
    [
        ("q3_mlp", "learning_rate"),
        ({"parameters": {"rate": {"low": 0, "high": 1}}}, "rate"),
        ("unknown", "dropout"),
    ],
)
def test_without_a_server_the_parameters_are_those_of_the_space(
    tmp_path: Path, space: Any, column: str
) -> None:
    path = tmp_path / "past.csv"
    path.write_text(f"{column},score\n0.5,1\n", encoding="utf-8")
    body = {"search_space": space, "parameters": {"dropout": 0.5}}
    (trial,) = history_of(path, None, body, None)
    assert trial == {"parameters": {column: 0.5}, "metrics": {"score": 1.0}}


def test_a_file_that_cannot_be_used_is_a_usage_error(api: FakeApi, tmp_path: Path) -> None:
    path = tmp_path / "past"
    path.write_bytes(b"\xff\xfe")
    for options, message in (
        (["--history", str(path)], "is not UTF-8"),
        (["--history", str(path), "--study", "a"], "for a database of Optuna"),
        (["--history", str(tmp_path / "none")], "No such file"),
        (["--study", "a"], "--study needs --history"),
    ):
        result = run(api, "submit", "q3_mlp", *options)
        assert result.exit_code == 2
        assert message in result.stderr
