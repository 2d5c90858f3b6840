"""Cross-validates a support vector machine and prints one line of JSON."""

import argparse
import json

from sklearn.datasets import load_wine
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

parser = argparse.ArgumentParser()
parser.add_argument("--C", type=float, default=1.0)
parser.add_argument("--kernel", choices=["linear", "rbf", "poly"], default="rbf")
parser.add_argument("--degree", type=int, default=3)
args = parser.parse_args()

model = make_pipeline(StandardScaler(), SVC(C=args.C, kernel=args.kernel, degree=args.degree))
scores = cross_val_score(model, *load_wine(return_X_y=True), cv=5)
print(json.dumps({"accuracy": scores.mean(), "spread": scores.std()}))
