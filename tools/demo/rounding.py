"""Rounding of what chance made, so that a machine's last bits cannot reach the chain."""


def leading_digits(value: int, digits: int) -> int:
    """`value` with all but its first decimal digits zero, as people choose amounts; 1 at least."""
    unit: int = 10 ** max(0, len(str(value)) - digits)
    return max(1, value // unit * unit)
