"""The marks of a resource that rests on an agreement which is not decided: a tag, a line of its narrative.

Owns the marks. Does not own which statements are drafts in that sense (`Statement.draft`).
"""

from adapter.fhir.elements import Resource, narrative
from adapter.fhir.vocabulary import TAG

#: Shared between statements of any agreement: whom and what they concern, not what they say.
_SHARED = frozenset(("Organization",))
_FIRST = "UTKAST: avtalet är inte beslutat.", "DRAFT: the agreement is not decided."


def marked_as_draft(resource: Resource) -> Resource:
    """Give a resource with the tag, and with the words first in its narrative; an Organization as it is."""
    if resource["resourceType"] in _SHARED:
        return resource
    words, end = narrative(*_FIRST)["div"].split("><p", 1), "</div>"
    line = "<p" + words[1].removesuffix(end)
    text = resource.get("text")
    if text is None:
        text = narrative(*_FIRST)
    else:
        start, rest = text["div"].split(">", 1)
        text = {**text, "div": f"{start}>{line}{rest}"}
    return {
        **resource,
        "meta": {**resource.get("meta", {}), "tag": [TAG.coding("draft-agreement")]},
        "text": text,
    }
