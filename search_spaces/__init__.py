"""What may be searched: domains, declared spaces, and strategies that list or sample them."""

from search_spaces.capabilities import without_winner
from search_spaces.declared import SEARCH_KEYS
from search_spaces.domains import Choice, Constant, Domain, Range
from search_spaces.errors import (
    Code,
    Problem,
    SearchSpaceError,
    SpaceFileError,
    UnknownSearchSpace,
    pointer_to,
)
from search_spaces.floats import with_floats
from search_spaces.given_schema import read_schema
from search_spaces.keys import key_hint
from search_spaces.known import MOST_KNOWN, KnownTrial
from search_spaces.library import Library
from search_spaces.limits import Budget, Confirm
from search_spaces.objectives import RESERVED_METRICS, Constraint, Objective
from search_spaces.population import changing, explored
from search_spaces.program import (
    COMMAND,
    NO_DATASET,
    PROGRAM_KEYS,
    Program,
    flag_key,
    function_of,
    is_digest,
)
from search_spaces.program_checks import PLACEHOLDERS
from search_spaces.reading import read_domain
from search_spaces.scheduling import MOST_EPOCHS, SCHEDULERS, Scheduler, rung_epochs
from search_spaces.space import SAMPLERS, STRATEGIES, SearchSpace
from search_spaces.strategies import (
    Suggester,
    configurations,
    count,
    count_distinct,
    defaults,
    enqueued,
    every_configuration,
    suggest,
    suggested,
)
from search_spaces.text import printable, storable, unprintable, unstorable
from search_spaces.validation import check, located
from search_spaces.values import Value, is_number

__all__ = [
    "COMMAND",
    "MOST_EPOCHS",
    "MOST_KNOWN",
    "NO_DATASET",
    "PLACEHOLDERS",
    "PROGRAM_KEYS",
    "RESERVED_METRICS",
    "SAMPLERS",
    "SCHEDULERS",
    "SEARCH_KEYS",
    "STRATEGIES",
    "Budget",
    "Choice",
    "Code",
    "Confirm",
    "Constant",
    "Constraint",
    "Domain",
    "KnownTrial",
    "Library",
    "Objective",
    "Problem",
    "Program",
    "Range",
    "Scheduler",
    "SearchSpace",
    "SearchSpaceError",
    "SpaceFileError",
    "Suggester",
    "UnknownSearchSpace",
    "Value",
    "changing",
    "check",
    "configurations",
    "count",
    "count_distinct",
    "defaults",
    "enqueued",
    "every_configuration",
    "explored",
    "flag_key",
    "function_of",
    "is_digest",
    "is_number",
    "key_hint",
    "located",
    "pointer_to",
    "printable",
    "read_domain",
    "read_schema",
    "rung_epochs",
    "storable",
    "suggest",
    "suggested",
    "unprintable",
    "unstorable",
    "with_floats",
    "without_winner",
]
