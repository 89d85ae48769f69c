"""Text to tokens, as the lexical rules of FHIRPath N1 (appendix "Formal specifications") say.

Owns white space, comments, literals and their escapes; knows nothing of how tokens combine.
"""

import re
from dataclasses import dataclass

from adapter.mapping.fhirpath.faults import FhirPathSyntaxError

_CLOCK = r"\d{2}(?::\d{2}(?::\d{2}(?:\.\d+)?)?)?"
_RULES = (
    ("space", r"[ \t\r\n]+|//[^\r\n]*|/\*.*?\*/"),
    ("datetime", rf"@\d{{4}}(?:-\d{{2}}(?:-\d{{2}})?)?(?:T(?:{_CLOCK}(?:Z|[+-]\d{{2}}:\d{{2}})?)?)?"),
    ("time", rf"@T{_CLOCK}"),
    ("number", r"\d+(?:\.\d+)?"),
    ("string", r"'(?:\\.|[^'\\])*'"),
    ("delimited", r"`(?:\\.|[^`\\])*`"),
    ("special", r"\$(?:this|index|total)\b"),
    ("word", r"[A-Za-z_][A-Za-z0-9_]*"),
    ("symbol", r"<=|>=|!=|!~|[-+*/&|<>=~.,()\[\]{}%]"),
)
_SCAN = re.compile("|".join(f"(?P<{name}>{rule})" for name, rule in _RULES), re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))", re.DOTALL)
_ESCAPED = {"f": "\f", "n": "\n", "r": "\r", "t": "\t"} | {c: c for c in "`'\\/\""}


@dataclass(frozen=True, slots=True)
class Token:
    """One token: `kind` of the rules above or "end"; `text` with quotes and escapes already taken off."""

    kind: str
    text: str
    at: int


def tokenize(text: str) -> tuple[Token, ...]:
    """All tokens of `text` without space and comments, a token "end" last."""
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = _SCAN.match(text, at)
        if match is None or (text.startswith("/*", at) and match.group() == "/"):
            raise FhirPathSyntaxError(_unreadable(text, at), text, at)
        kind = match.lastgroup or ""
        if kind != "space":
            found.append(Token(kind, _content(kind, match.group(), text, at), at))
        at = match.end()
    return (*found, Token("end", "", len(text)))


def _content(kind: str, raw: str, text: str, at: int) -> str:
    if kind in {"string", "delimited"}:
        return _ESCAPE.sub(lambda found: _unescape(found, text, at), raw[1:-1])
    return raw


def _unescape(found: re.Match[str], text: str, at: int) -> str:
    code, letter = found.groups()
    if code is not None:
        return chr(int(code, 16))
    if letter not in _ESCAPED:
        raise FhirPathSyntaxError(f"no such escape: \\{letter}", text, at + 1 + found.start())
    return _ESCAPED[letter]


def _unreadable(text: str, at: int) -> str:
    if text.startswith("/*", at):
        return "expected */ to end the comment"
    if text[at] in "'`":
        return f"expected {text[at]} to end what it begins"
    if text[at] == "@":
        return "expected a date as @2024-01-31, a time as @T12:30 or both as @2024-01-31T12:30"
    return f"no token of FHIRPath begins with {text[at]!r}"
