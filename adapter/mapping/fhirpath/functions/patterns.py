"""Strings against regular expressions: `matches`, `matchesFull`, `replaceMatches` (N1, 5.6.9-5.6.11).

A pattern that is written out is compiled with the expression, and one that is wrong is a syntax error.
"""

import re
from collections.abc import Callable

from adapter.mapping.fhirpath.call import Call, Function
from adapter.mapping.fhirpath.closure import STRING, Code, Env, Item, from_one, from_truth, text_of
from adapter.mapping.fhirpath.faults import EvaluationError, FhirPathSyntaxError

_GROUP = re.compile(r"\$(\d+)")
Pattern = Callable[[Item, Env], "re.Pattern[str] | None"]


def _pattern(call: Call) -> Pattern:
    written = call.literal(0)
    if written is not None:
        try:
            ready = re.compile(written, re.DOTALL)
        except re.error as fault:
            rule, at = f"no regular expression: {fault.msg}", call.node.args[0].at
            raise FhirPathSyntaxError(rule, call.compiler.text, at) from None
        return lambda _this, _env: ready
    text, at = text_of(call.need(0), call.at), call.at

    def pattern(this: Item, env: Env) -> "re.Pattern[str] | None":
        found = text(this, env)
        try:
            return None if found is None else re.compile(found, re.DOTALL)
        except re.error:
            raise EvaluationError("expected a regular expression", at) from None

    return pattern


def _matches(*, full: bool) -> Callable[[Call], Code]:
    def make(call: Call) -> Code:
        text, pattern = text_of(call.input, call.at), _pattern(call)

        def truth(this: Item, env: Env) -> bool | None:
            whole, ready = text(this, env), pattern(this, env)
            if whole is None or ready is None:
                return None
            return (ready.fullmatch(whole) if full else ready.search(whole)) is not None

        return from_truth(truth)

    return make


def _replace_matches(call: Call) -> Code:
    """`$1` in the substitution stands for the first group. An empty pattern changes nothing."""
    text, pattern = text_of(call.input, call.at), _pattern(call)
    new, at = text_of(call.need(1), call.at), call.at

    def one(this: Item, env: Env) -> Item:
        whole, ready, put = text(this, env), pattern(this, env), new(this, env)
        if whole is None or ready is None or put is None:
            return None
        if not ready.pattern:
            return whole
        try:
            return ready.sub(_GROUP.sub(r"\\g<\1>", put.replace("\\", r"\\")), whole)
        except (re.error, IndexError):
            raise EvaluationError("the substitution names a group that is not there", at) from None

    return from_one(one, STRING)


FUNCTIONS = {
    "matches": Function(_matches(full=False), 1, 1),
    "matchesFull": Function(_matches(full=True), 1, 1),
    "replaceMatches": Function(_replace_matches, 2, 2),
}
