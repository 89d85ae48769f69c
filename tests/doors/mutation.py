"""A FHIR document changed at some of its places, as a broken sender, or a malicious one, would change it."""

import copy
from typing import Any

from hypothesis import strategies as st

#: A value that no answer and no log line may hold.
CANARY = "Tolvansson-19121212"

_VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([CANARY, "", " ", f"\u0000{CANARY}", f"#{CANARY}", f"urn:uuid:{CANARY}", f"../{CANARY}"]),
    st.sampled_from(["2024-02-30", f"2024-01-01T00:00:00{CANARY}", "9999-12-31T24:00:00Z", "0000"]),
    st.sampled_from([[], {}, [[]], [None], {"extension": [{"url": CANARY}]}, {"reference": CANARY}]),
    st.text(max_size=20).map(lambda text: text + CANARY),
)
_NAMES = st.sampled_from(
    ["resourceType", "id", "status", "extension", "_status", "contained", CANARY, "class"]
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document, as the keys and indices that lead to it."""
    found = [path] if path else []
    if isinstance(value, dict):
        for name, inner in value.items():
            found += _places(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found += _places(inner, (*path, index))
    return found


@st.composite
def mutated(draw: st.DrawFn, document: Any) -> Any:
    """`document` with one to four changes: a value, a thing left out, said twice, added, or moved."""
    changed = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 4))):
        places = _places(changed)
        if not places:
            return changed
        path = draw(st.sampled_from(places))
        holder = _at(changed, path[:-1])
        match draw(st.sampled_from(["value", "value", "gone", "twice", "more", "swap"])):
            case "value":
                holder[path[-1]] = copy.deepcopy(draw(_VALUES))
            case "gone":
                del holder[path[-1]]
            case "twice":
                holder[path[-1]] = [holder[path[-1]], copy.deepcopy(holder[path[-1]])]
            case "more" if isinstance(holder[path[-1]], dict):
                holder[path[-1]][draw(_NAMES)] = copy.deepcopy(draw(_VALUES))
            case "swap":
                holder[path[-1]] = copy.deepcopy(_at(changed, draw(st.sampled_from(places))))
    return changed


def _at(document: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        document = document[step]
    return document
