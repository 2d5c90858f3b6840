"""What may be searched: domains, declared spaces, and strategies that list or sample them."""

from search_spaces.domains import Choice, Constant, Domain, Range
from search_spaces.errors import (
    Code,
    Problem,
    SearchSpaceError,
    SpaceFileError,
    UnknownSearchSpace,
    pointer_to,
)
from search_spaces.library import Library
from search_spaces.reading import read_domain
from search_spaces.scalars import Scalar
from search_spaces.space import MOST_EPOCHS, SAMPLERS, STRATEGIES, SearchSpace
from search_spaces.strategies import Suggester, configurations, count, defaults, suggest
from search_spaces.text import printable, storable, unprintable, unstorable
from search_spaces.validation import check
from search_spaces.yaml_files import load_yaml

__all__ = [
    "MOST_EPOCHS",
    "SAMPLERS",
    "STRATEGIES",
    "Choice",
    "Code",
    "Constant",
    "Domain",
    "Library",
    "Problem",
    "Range",
    "Scalar",
    "SearchSpace",
    "SearchSpaceError",
    "SpaceFileError",
    "Suggester",
    "UnknownSearchSpace",
    "check",
    "configurations",
    "count",
    "defaults",
    "load_yaml",
    "pointer_to",
    "printable",
    "read_domain",
    "storable",
    "suggest",
    "unprintable",
    "unstorable",
]
