"""Check digits: Luhn's of organisation numbers and giro accounts, GS1's of a GLN."""

_TEN = 10


def has_luhn_digit(digits: str) -> bool:
    """Whether the last digit is the Luhn check digit (modulus 10, weights 1 and 2 from the right)."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + position % 2)
        total += value - 9 if value >= _TEN else value
    return total % _TEN == 0


def has_gs1_digit(digits: str) -> bool:
    """Whether the last digit is GS1's check digit (modulus 10, weights 1 and 3 from the right)."""
    return sum(int(digit) * (1, 3)[n % 2] for n, digit in enumerate(reversed(digits))) % _TEN == 0
