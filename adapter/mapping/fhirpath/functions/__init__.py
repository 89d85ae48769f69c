"""All functions that the compiler knows, by name; one module a subject.

Owns the table only. A function that is not here is left to the library (`fhirpath.library`).
"""

from adapter.mapping.fhirpath.call import Functions
from adapter.mapping.fhirpath.functions import (
    combining,
    conversions,
    existence,
    filtering,
    maths,
    patterns,
    strings,
    subsetting,
    tree,
    utility,
)

FUNCTIONS: Functions = {
    **combining.FUNCTIONS,
    **conversions.FUNCTIONS,
    **existence.FUNCTIONS,
    **filtering.FUNCTIONS,
    **maths.FUNCTIONS,
    **patterns.FUNCTIONS,
    **strings.FUNCTIONS,
    **subsetting.FUNCTIONS,
    **tree.FUNCTIONS,
    **utility.FUNCTIONS,
}

# Functions whose answer is not given by their arguments alone, so never folded.
VOLATILE = frozenset({"now", "today", "timeOfDay", "resolve", "trace"})
