"""What is trained: the contract, the registry, data sets and the built-in trainables.

Numbers only: nothing here imports Ray, a database or an HTTP library.
"""
