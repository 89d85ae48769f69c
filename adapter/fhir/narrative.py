"""A narrative's XHTML between FHIR XML, where it is markup, and FHIR JSON, where it is one text.

Owns how the one becomes the other; does not own what a narrative may say: it is never read, only kept.
Source: FHIR R4, Narrative, «xhtml»; JSON representation, «the XHTML is an escaped string».
"""

import re
from collections.abc import Mapping

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError

from adapter.errors import Problem, ResourceError

XHTML = "http://www.w3.org/1999/xhtml"
_XML = "{http://www.w3.org/XML/1998/namespace}"
_BARE = re.compile(r"\A<div(?=[\s/>])(?![^>]*\sxmlns\s*=)")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_QUOTED = str.maketrans(
    {"&": "&amp;", "<": "&lt;", '"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
)


class Narrative:
    """A `div` that is being read: its source where that can stand alone, else the same written anew.

    It cannot stand alone where it uses a prefix or a namespace that is declared outside of it.
    """

    def __init__(self, path: str, *, declares: bool) -> None:
        self.depth = 0
        self._path = path
        self._alone = declares
        self._open = False
        self._parts: list[str] = []

    def start(self, tag: str, attributes: Mapping[str, str], written: bytes) -> None:
        """Take a start tag; `written` is the source from its `<` on."""
        space, _, name = tag.rpartition("}")
        if space != "{" + XHTML or any(key[0] == "{" and not key.startswith(_XML) for key in attributes):
            raise ResourceError(Problem("structure", "a narrative holds XHTML alone", self._path))
        self._alone = self._alone and written.startswith(b"<" + name.encode())
        self._close_tag()
        self._parts.append("<" + name)
        if self.depth == 0:
            self._parts.append(f' xmlns="{XHTML}"')
        self._parts += [
            f' {key.replace(_XML, "xml:")}="{value.translate(_QUOTED)}"' for key, value in attributes.items()
        ]
        self._open = True
        self.depth += 1

    def end(self, tag: str) -> bool:
        """Take an end tag; whether its element was empty."""
        is_empty = self._open
        self._parts.append("/>" if is_empty else f"</{tag.rpartition('}')[2]}>")
        self._open = False
        self.depth -= 1
        return is_empty

    def data(self, text: str) -> None:
        """Take text."""
        self._close_tag()
        self._parts.append(text.translate(_ESCAPES))

    def text(self, source: bytes) -> str:
        """The whole as the text that FHIR JSON has."""
        if self._alone:
            return source.decode().replace("\r\n", "\n").replace("\r", "\n")
        return "".join(self._parts)

    def _close_tag(self) -> None:
        if self._open:
            self._parts.append(">")
            self._open = False


def as_markup(text: str, path: str) -> str:
    """The text of a `div` as it may stand in an XML document; ResourceError where it is no XHTML."""
    markup = _BARE.sub(f'<div xmlns="{XHTML}"', text.strip(), count=1)
    parser = DefusedXMLParser(target=_Check(path), encoding="utf-8", forbid_dtd=True)
    try:
        parser.feed(markup)
        parser.close()
    except (ParseError, DefusedXmlException, UnicodeEncodeError):
        raise ResourceError(Problem("structure", "a narrative is well-formed XHTML", path)) from None
    return markup


class _Check:
    """Walks a narrative: one `div`, XHTML alone, no processing instruction."""

    def __init__(self, path: str) -> None:
        self._reading = Narrative(path, declares=False)
        self._path = path

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if self._reading.depth == 0 and tag != f"{{{XHTML}}}div":
            raise ResourceError(Problem("structure", "a narrative is one div", self._path))
        self._reading.start(tag, attributes, b"")

    def end(self, tag: str) -> None:
        self._reading.end(tag)

    def pi(self, _target: str, _data: str | None = None) -> None:
        raise ResourceError(Problem("structure", "a narrative holds XHTML alone", self._path))

    def close(self) -> None:
        """Nothing is built."""
