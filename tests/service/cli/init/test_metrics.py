from __future__ import annotations

import ast
import re

import pytest

from service.cli.init.metrics import Printed, are_once, in_source, mode_of, objective


def found(source: str) -> list[Printed]:
    return in_source(ast.parse(source))


@pytest.mark.parametrize(
    ("source", "line", "values"),
    [
        ("print(f'Epoch {e}/{n}: train loss {a:.4f}, val loss {b:.4f}')",
         "Epoch 3/10: train loss 0.5, val loss 1.5e-3",
         {"epoch": "3", "train_loss": "0.5", "val_loss": "1.5e-3"}),
        ("print('epoch', e, 'val_acc:', acc)", "epoch 3 val_acc: 0.9",
         {"epoch": "3", "val_acc": "0.9"}),
        ("print('loss=%.3f acc=%.3f' % (a, b))", "loss=0.500 acc=-0.900",
         {"loss": "0.500", "acc": "-0.900"}),
        ("print('RMSE: {:.2f}'.format(x))", "RMSE: nan", {"rmse": "nan"}),
        ("logger.info('Loss (' + str(x) + ')')", "Loss (0.25)", {"loss": "0.25"}),
        ("print(f'[{t}] accuracy: {a}% F1 {f}')", "[12:00] accuracy: 91.5% F1 0.8",
         {"accuracy": "91.5", "f1": "0.8"}),
        ("log.info('epoch=%d valid_f1=%.4f', epoch, f1)", "INFO epoch=2 valid_f1=0.6000",
         {"epoch": "2", "valid_f1": "0.6000"}),
        ("print(f'{n}/{m} [===] - 1s 5ms/step - loss: {a} - val_loss: {b}')",
         "10/10 [===] - 1s 5ms/step - loss: 0.3 - val_loss: 0.4",
         {"loss": "0.3", "val_loss": "0.4"}),
        ("print(f'Train Epoch: {e} [{i}/{n}]\\tLoss: {x:.6f}')",
         "Train Epoch: 2 [64/800]\tLoss: 0.5",
         {"epoch": "2", "loss": "0.5"}),
        ("for epoch in range(9): print(f'Epoch {epoch}: loss {x}')",
         "Epoch 0: loss 1", {"loss": "1"}),
        ("for e in range(9): print('Epoch', e + 1, 'loss', x)", "Epoch 1 loss 2",
         {"epoch": "1", "loss": "2"}),
        ("print(f'steps per epoch: {n}, best epoch: {e}, loss: {x}')", "loss: 1", {"loss": "1"}),
        ("for phase in ['train', 'val']: print(f'{phase} Loss: {l:.4f} Acc: {a:.4f}')",
         "train Loss: 0.5 Acc: 0.7, val Loss: 0.6", {"train_loss": "0.5", "acc": "0.7",
                                                    "val_loss": "0.6"}),
    ],
)  # fmt: skip
def test_a_printed_text_is_found_again_by_its_pattern(
    source: str, line: str, values: dict[str, str]
) -> None:
    patterns = {one.name: one.pattern for one in found(source)}
    assert {name: re.search(pattern, line)[1] for name, pattern in patterns.items()} == values  # type: ignore[index]


def test_one_label_is_not_the_end_of_another() -> None:
    (pattern,) = [one.pattern for one in found("print(f'loss: {x}')")]
    assert re.search(pattern, "val loss: 1, loss: 2")[1] == "2"  # type: ignore[index]
    assert re.search(pattern, "val_loss: 1") is None


@pytest.mark.parametrize(
    "source",
    ["print(json.dumps({'epoch': e, 'val/acc': a}))", "report(e, {'epoch': 1, 'val/acc': a})"],
)
def test_json_lines_need_no_pattern(source: str) -> None:
    text = "print(f'loss: {x}')\n"
    assert [(one.name, one.pattern) for one in found(text + source)] == [
        ("epoch", ""), ("val/acc", ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "source", ["print('hello')", "print(x)", "print(f'time {t:.1f}')", "json.dumps({'a': 1})"]
)
def test_other_prints_are_no_metrics(source: str) -> None:
    assert found(source) == []


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["train_loss", "val_loss", "val_acc"], ("val_loss", "min")),
        (["test_acc", "loss"], ("loss", "min")),
        (["test_acc"], ("test_acc", "max")),
        (["epoch", "time"], None),
        (["valAccuracy"], ("valAccuracy", "max")),
    ],
)
def test_the_metric_of_held_out_data_decides(
    names: list[str], chosen: tuple[str, str] | None
) -> None:
    assert objective([Printed(name, "", 1) for name in names]) == chosen


TUTORIAL = """
def train(epoch):
    for i, batch in enumerate(loader):
        print(f"Train Epoch: {epoch} [{i}]\\tLoss: {loss}")
def test():
    print(f"Test set: Average loss: {loss}, Accuracy: {right}")
def main():
    for epoch in range(1, 9):
        train(epoch)
        test()
"""
FOLDS = """
def fit(fold):
    for epoch in range(1, 9):
        print(f"epoch {epoch} val_loss {x}")
scores = [fit(fold) for fold in range(5)]
print(f"mean accuracy: {y}")
"""


def test_what_is_printed_for_each_batch_does_not_decide() -> None:
    printed = found(TUTORIAL)
    assert [one.name for one in printed] == ["epoch", "loss", "average_loss", "accuracy"]
    assert objective(printed) == ("average_loss", "min")
    assert not are_once(printed)


def test_the_epochs_of_each_fold_are_not_counted_where_the_mean_decides() -> None:
    printed = found(FOLDS)
    assert [one.name for one in printed] == ["val_loss", "mean_accuracy"]
    assert objective(printed) == ("mean_accuracy", "max")
    assert are_once(printed)


def test_what_comes_once_at_the_end_disturbs_no_count() -> None:
    source = "for e in range(9): print(f'val loss: {x}')\n"
    assert [one.name for one in found(source + "print(f'best val loss: {y}')")] == ["val_loss"]


def test_the_words_of_a_name_say_what_is_better() -> None:
    assert [mode_of(name) for name in ("val RMSE", "macro_f1", "speed")] == ["min", "max", ""]
