"""A PyTorch script as many write it: a DataLoader, printed losses, a checkpoint after each epoch.

It knows nothing of argbest; search.yaml beside it says how to run it and what its output means.
"""

import argparse
import os
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split


def spirals(count: int) -> TensorDataset:
    """Two spirals, one a class, with noise."""
    turns = torch.rand(count) * 9
    label = torch.arange(count) % 2
    angle = turns + label * torch.pi
    points = torch.stack([turns * angle.cos(), turns * angle.sin()], dim=1) / 9
    return TensorDataset(points + 0.02 * torch.randn(count, 2), label)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.01)
    parser.add_argument("--hidden", type=int, default=32)
    parser.add_argument("--optimizer", choices=["sgd", "adam"], default="adam")
    parser.add_argument("--batch-norm", action="store_true")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkpoint-dir", type=Path, default=Path("checkpoints"))
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    torch.set_num_threads(1)
    training, validation = random_split(spirals(1200), [1000, 200])
    loader = DataLoader(training, batch_size=50, shuffle=True)
    norm = [nn.BatchNorm1d(args.hidden)] if args.batch_norm else []
    model = nn.Sequential(
        nn.Linear(2, args.hidden), *norm, nn.ReLU(),
        nn.Linear(args.hidden, args.hidden), nn.ReLU(), nn.Linear(args.hidden, 2),
    )  # fmt: skip
    kinds = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}
    optimizer = kinds[args.optimizer](model.parameters(), lr=args.lr)
    loss_of = nn.CrossEntropyLoss()

    args.checkpoint_dir.mkdir(parents=True, exist_ok=True)
    newest, first = args.checkpoint_dir / "last.pt", 1
    if newest.exists():
        saved = torch.load(newest)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        first = saved["epoch"] + 1

    for epoch in range(first, args.epochs + 1):
        model.train()
        total = 0.0
        for points, labels in loader:
            optimizer.zero_grad()
            loss = loss_of(model(points), labels)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(labels)
        model.eval()
        with torch.no_grad():
            points, labels = validation[:]
            correct = (model(points).argmax(dim=1) == labels).float().mean()
        # Write, then rename: whoever reads the file sees the old one or the whole new one.
        state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch}
        torch.save(state, newest.with_suffix(".part"))
        os.replace(newest.with_suffix(".part"), newest)
        print(f"epoch {epoch}/{args.epochs}: train loss {total / 1000:.4f}, val acc {correct:.3f}")


main()
