"""Strings: FHIRPath N1, 5.6 "String manipulation", without regular expressions (`patterns`)."""

import base64
import binascii
import html
import json
import re
from collections.abc import Callable
from typing import Any

from adapter.mapping.fhirpath.call import Call, Function
from adapter.mapping.fhirpath.closure import (
    BOOLEAN,
    EMPTY,
    INTEGER,
    STRING,
    Code,
    Env,
    Item,
    Items,
    NoValue,
    Shape,
    from_one,
    from_truth,
    integer_of,
    text_of,
)
from adapter.mapping.fhirpath.faults import EvaluationError

Work = Callable[..., Any]
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))", re.DOTALL)
_LETTERS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def on_text(work: Work, shape: Shape) -> Callable[[Call], Code]:
    """Make a function of one string and of string arguments; empty where any of them is."""

    def make(call: Call) -> Code:
        text = text_of(call.input, call.at)
        args = [text_of(call.need(index), call.at) for index in range(len(call.node.args))]
        one = _on_one(text, args[0], work) if len(args) == 1 else _on_several([text, *args], work)
        return from_truth(one) if shape == BOOLEAN else from_one(one, shape)

    return make


Text = Callable[[Item, Env], str | None]


def _on_one(text: Text, arg: Text, work: Work) -> Callable[[Item, Env], Item]:
    def one(this: Item, env: Env) -> Item:
        found, other = text(this, env), arg(this, env)
        return None if found is None or other is None else work(found, other)

    return one


def _on_several(texts: list[Text], work: Work) -> Callable[[Item, Env], Item]:
    def one(this: Item, env: Env) -> Item:
        found = [text(this, env) for text in texts]
        return None if None in found else work(*found)

    return one


def _substring(call: Call) -> Code:
    text, start = text_of(call.input, call.at), integer_of(call.need(0), call.at)
    length_code = call.arg(1)
    length = None if length_code is None else integer_of(length_code, call.at)

    def one(this: Item, env: Env) -> Item:
        whole, begin = text(this, env), start(this, env)
        if whole is None or begin is None or not 0 <= begin < len(whole):
            return None
        count = None if length is None else length(this, env)
        return whole[begin:] if count is None else whole[begin : begin + max(count, 0)]

    return from_one(one, STRING)


def _split(call: Call) -> Code:
    text, separator = text_of(call.input, call.at), text_of(call.need(0), call.at)

    def run(this: Item, env: Env) -> Items:
        whole, between = text(this, env), separator(this, env)
        if whole is None or between is None:
            return EMPTY
        return whole.split(between) if between else list(whole)

    return Code(run, STRING)


def _to_chars(call: Call) -> Code:
    text = text_of(call.input, call.at)
    return Code(lambda this, env: list(text(this, env) or ""), STRING)


def _join(call: Call) -> Code:
    run, at, arg = call.input.run, call.at, call.arg(0)
    separator = None if arg is None else text_of(arg, at)

    def one(this: Item, env: Env) -> Item:
        items = [item for item in run(this, env) if not isinstance(item, NoValue)]
        if not all(isinstance(item, str) for item in items):
            raise EvaluationError("join() puts strings together only", at)
        between = "" if separator is None else separator(this, env) or ""
        return between.join(items) if items else None

    return from_one(one, STRING)


def _encode(text: str, form: str) -> str | None:
    data = text.encode()
    if form == "hex":
        return data.hex()
    coders = {"base64": base64.b64encode, "urlbase64": base64.urlsafe_b64encode}
    return coders[form](data).decode() if form in coders else None


def _decode(text: str, form: str) -> str | None:
    try:
        if form == "hex":
            return bytes.fromhex(text).decode()
        coders = {"base64": base64.b64decode, "urlbase64": base64.urlsafe_b64decode}
        return coders[form](text).decode() if form in coders else None
    except (binascii.Error, ValueError):
        return None


def _escape(text: str, form: str) -> str | None:
    if form == "json":
        return json.dumps(text, ensure_ascii=False)[1:-1]
    return html.escape(text, quote=True) if form == "html" else None


def _unescape(text: str, form: str) -> str | None:
    if form == "html":
        return html.unescape(text)
    return _ESCAPE.sub(_unescaped, text) if form == "json" else None


def _unescaped(found: re.Match[str]) -> str:
    code, letter = found.groups()
    return chr(int(code, 16)) if code is not None else _LETTERS.get(letter, letter)


def _replace(text: str, old: str, new: str) -> str:
    return text.replace(old, new)


FUNCTIONS = {
    "indexOf": Function(on_text(str.find, INTEGER), 1, 1),
    "lastIndexOf": Function(on_text(str.rfind, INTEGER), 1, 1),
    "substring": Function(_substring, 1, 2),
    "startsWith": Function(on_text(str.startswith, BOOLEAN), 1, 1),
    "endsWith": Function(on_text(str.endswith, BOOLEAN), 1, 1),
    "contains": Function(on_text(lambda text, part: part in text, BOOLEAN), 1, 1),
    "upper": Function(on_text(str.upper, STRING)),
    "lower": Function(on_text(str.lower, STRING)),
    "trim": Function(on_text(str.strip, STRING)),
    "length": Function(on_text(len, INTEGER)),
    "replace": Function(on_text(_replace, STRING), 2, 2),
    "encode": Function(on_text(_encode, STRING), 1, 1),
    "decode": Function(on_text(_decode, STRING), 1, 1),
    "escape": Function(on_text(_escape, STRING), 1, 1),
    "unescape": Function(on_text(_unescape, STRING), 1, 1),
    "split": Function(_split, 1, 1),
    "toChars": Function(_to_chars),
    "join": Function(_join, 0, 1),
}
