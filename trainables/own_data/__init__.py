"""Users' own data: files become data sets, which the built-in trainables take by their kind.

:mod:`~trainables.own_data.making` makes a data set of a CSV, TSV, Parquet or NPZ file.
It needs pyarrow and trusts nothing in the file, so the service runs it in a process of its own,
``python -m trainables.own_data``. What comes out is stored under the digest of its content and
unpacked once on each node (:mod:`~trainables.own_data.stored`).
"""

from trainables.own_data.problems import BadData
from trainables.own_data.stored import folder_of, is_unpacked, load, unpack

__all__ = ["BadData", "folder_of", "is_unpacked", "load", "unpack"]
