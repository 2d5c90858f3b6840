"""Takes its settings as key=value, as programs with Hydra do, and nested by dots."""

import json
import math
import sys

config = dict(argument.split("=", 1) for argument in sys.argv[1:])
rate, width = float(config["optim.rate"]), int(config["model.width"])
loss = 1.0
for epoch in range(1, int(config["epochs"]) + 1):
    loss *= 0.5 + 0.1 * abs(math.log10(rate) + 2)
    print(json.dumps({"epoch": epoch, "val": {"loss": loss + 1 / width}, "note": config["tag"]}))
