# A notebook's cells, exported by `jupyter nbconvert --to script`. The first one reads the values
# that a search chose; in the notebook, where there is no search, it takes its own.

# In[1]:
import json
import os
from pathlib import Path

config = {"penalty": 0.1, "power": 2}
if "ARGBEST_CONFIG" in os.environ:
    config = json.loads(Path(os.environ["ARGBEST_CONFIG"]).read_text())

# In[2]:
import numpy as np

random = np.random.default_rng(0)
x = random.uniform(-1, 1, 80)
y = np.sin(3 * x) + 0.1 * random.normal(size=80)
features = np.vander(x, config["power"] + 1)
train, held = slice(0, 60), slice(60, 80)

# In[3]:
ridge = config["penalty"] * np.eye(features.shape[1])
weights = np.linalg.solve(features[train].T @ features[train] + ridge, features[train].T @ y[train])
error = float(np.mean((features[held] @ weights - y[held]) ** 2))

# In[4]:
print(json.dumps({"validation mse": error}))
