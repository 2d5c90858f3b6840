"""Boosts trees and reports the error on held-out data as they grow, by argbest.report."""

import argparse

from sklearn.datasets import load_diabetes
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import train_test_split

from argbest import report

parser = argparse.ArgumentParser()
parser.add_argument("--learning-rate", type=float, default=0.1)
parser.add_argument("--max-depth", type=int, default=3)
parser.add_argument("--subsample", type=float, default=1.0)
parser.add_argument("--steps", type=int, default=10)
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()

x, x_held, y, y_held = train_test_split(*load_diabetes(return_X_y=True), random_state=0)
model = GradientBoostingRegressor(
    learning_rate=args.learning_rate, max_depth=args.max_depth, subsample=args.subsample,
    random_state=args.seed, warm_start=True, n_estimators=10,
)  # fmt: skip
for step in range(1, args.steps + 1):
    model.set_params(n_estimators=10 * step).fit(x, y)
    rmse = root_mean_squared_error(y_held, model.predict(x_held))
    report({"val_rmse": rmse, "trees": 10 * step}, epoch=step)
