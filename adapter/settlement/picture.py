"""A comparison as a picture: bars of what each month, or each variant, costs, as SVG.

Owns the drawing: axis, bars, Swedish numbers, a title that a screen reader says. Does not own what is drawn
(`compare`). Every amount stands beside its bar, exact; the length of a bar is rounded to a pixel.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from xml.sax.saxutils import escape

from adapter.settlement.compare import Compared, Variant

#: Blue and orange that differ also to the colour-blind, and in grey.
_COLOURS = ("#1f5a94", "#e08a1e")
_SPAN, _RIGHT, _TOP = 510, 150, 92
_BAR, _GAP, _TICKS = 14, 10, 5
_NARROW = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True, slots=True)
class Bars:
    """A group of bars, one for each series, under one label; SEK."""

    label: str
    amounts: tuple[Decimal, ...]


def compared_svg(compared: Sequence[Compared], a: str, b: str) -> str:
    """Draw what two agreements cost in each month, all payers together whose rates are known."""
    sums: dict[str, list[Decimal]] = {}
    for one in compared:
        if one.unknown:
            continue
        both = sums.setdefault(str(one.a.month), [Decimal(), Decimal()])
        both[0] += one.a.amount
        both[1] += one.b.amount
    bars = [Bars(month, tuple(amounts)) for month, amounts in sorted(sums.items())]
    return draw("Kostnad per månad", (f"A: {a}", f"B: {b}"), bars)


def variants_svg(variants: Sequence[Variant], name: str) -> str:
    """Draw what each variant of an agreement costs, all payers and months together."""
    bars = [
        Bars(", ".join(f"{term} {sek(value)}" for term, value in one.changes.items()), (one.amount,))
        for one in variants
    ]
    return draw("Kostnad per variant", (name,), bars)


def draw(title: str, series: Sequence[str], bars: Sequence[Bars]) -> str:
    """Give the SVG of groups of bars, from the top down, under a title, with the series named."""
    top = _round_up(max((amount for group in bars for amount in group.amounts), default=Decimal()))
    step = len(series) * _BAR + _GAP
    bottom = _TOP + len(bars) * step + _GAP
    left = 40 + 7 * max((len(group.label) for group in bars), default=0)
    width, height = max(left, 120) + _SPAN + _RIGHT, bottom + 46
    words = escape(f"{title}, kronor: {'; '.join(series)}")
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}" role="img" aria-labelledby="title"'
        ' font-family="sans-serif" font-size="12" lang="sv">'
    )
    parts = [
        head,
        f'<title id="title">{words}</title>',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="16" y="28" font-size="18" font-weight="bold">{escape(title)}</text>',
        *_legend(series),
        *_axis(top, left, bottom),
    ]
    for place, group in enumerate(bars):
        parts += _group(group, left, _TOP + place * step + _GAP, top)
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def sek(amount: Decimal) -> str:
    """Write a number as Swedes do: groups of three, a decimal comma."""
    return f"{amount:,f}".replace(",", _NARROW).replace(".", ",")


def _legend(series: Sequence[str]) -> Iterator[str]:
    for place, name in enumerate(series):
        y = 46 + 18 * place
        yield f'<rect x="16" y="{y - 10}" width="12" height="12" fill="{_COLOURS[place]}"/>'
        yield f'<text x="34" y="{y}">{escape(name)}</text>'


def _axis(top: Decimal, left: int, bottom: int) -> Iterator[str]:
    for tick in range(_TICKS + 1):
        amount = top * tick / _TICKS
        x = left + _pixels(amount, top)
        yield f'<line x1="{x}" y1="{_TOP}" x2="{x}" y2="{bottom}" stroke="#ccc"/>'
        yield f'<text x="{x}" y="{bottom + 18}" text-anchor="middle">{sek(amount.normalize() + 0)}</text>'
    middle = left + _SPAN // 2
    yield f'<text x="{middle}" y="{bottom + 38}" text-anchor="middle">kronor</text>'


def _group(group: Bars, left: int, y: int, top: Decimal) -> Iterator[str]:
    middle = y + len(group.amounts) * _BAR // 2 + 4
    yield f'<text x="{left - 8}" y="{middle}" text-anchor="end">{escape(group.label)}</text>'
    for place, amount in enumerate(group.amounts):
        width, above = _pixels(amount, top), y + place * _BAR
        yield (
            f'<rect x="{left}" y="{above}" width="{width}" height="{_BAR - 2}" fill="{_COLOURS[place]}">'
            f"<title>{escape(group.label)}: {sek(amount)} kr</title></rect>"
        )
        yield f'<text x="{left + width + 6}" y="{above + 11}">{sek(amount)}</text>'


def _pixels(amount: Decimal, top: Decimal) -> int:
    return int(amount * _SPAN / top)


def _round_up(amount: Decimal) -> Decimal:
    """Give the end of the axis: 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8 or 10 times a power of ten; at least 100."""
    if amount <= 100:
        return Decimal(100)
    power = Decimal(10) ** amount.adjusted()
    steps = ("1", "1.5", "2", "2.5", "3", "4", "5", "6", "8", "10")
    share = (amount / power).quantize(Decimal("0.0001"), ROUND_CEILING)
    return next(Decimal(step) * power for step in steps if share <= Decimal(step))
