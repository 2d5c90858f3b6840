"""The contract, the registry, data sets and the built-in trainables; no Ray, database or HTTP."""
