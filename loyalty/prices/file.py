"""Prices from a CSV file with the columns time and usd.

Time is unix seconds or RFC 3339, usd a plain decimal. Every row is a point, valid from its time on. The file is read
again at each call, so rows can be appended while the program runs. Rows may stand in any order.
"""

import csv
import io
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from loyalty.core.errors import Invalid, InvalidFile, Unavailable
from loyalty.core.facts import PricePoint
from loyalty.core.spans import Span
from loyalty.core.times import parse_time, time_text
from loyalty.prices.scale import price_at_scale

_COLUMNS = ["time", "usd"]
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,9})?")
_LATEST_TIME = 10**11
"""The year 5138: a larger number is a time in milliseconds."""


class _Row(NamedTuple):
    line: int
    time: int
    price: int


class FileSource:
    """The rows of the file `path`, which prices the token `symbol`."""

    name = "file"

    def __init__(self, path: Path, price_decimals: int, symbol: str) -> None:
        self._path = path
        self._price_decimals = price_decimals
        self._symbol = symbol

    def points(self, span: Span, now: int) -> list[PricePoint]:
        """The rows with time in `span`, ascending. Raises InvalidFile with every fault of the whole file."""
        prices = self._prices()
        return [PricePoint(time, prices[time], self.name, now) for time in sorted(prices) if span.contains(time)]

    def _prices(self) -> dict[int, int]:
        faults: list[str] = []
        rows: dict[int, _Row] = {}
        for row in self._rows(faults):
            before = rows.setdefault(row.time, row)
            if before.price != row.price:
                faults.append(f"line {row.line}: another price for {time_text(row.time)} than line {before.line}")
        if faults:
            raise InvalidFile(f"the price file {self._path} of {self._symbol}", faults)
        return {time: row.price for time, row in rows.items()}

    def _rows(self, faults: list[str]) -> Iterator[_Row]:
        lines = csv.reader(io.StringIO(self._text(), newline=""))
        try:
            header = [cell.strip() for cell in next(lines, [])]
            if header != _COLUMNS:
                faults.append(f"line 1: read {','.join(header)[:60]!r}; expected the columns time,usd")
                return
            yield from self._priced_rows(lines, faults)
        except csv.Error as fault:
            faults.append(f"line {lines.line_num}: not CSV: {fault}")

    def _priced_rows(self, lines: Iterator[list[str]], faults: list[str]) -> Iterator[_Row]:
        for line, cells in enumerate(lines, start=2):
            if not cells:
                continue
            try:
                yield self._row(line, cells)
            except Invalid as fault:
                faults.append(str(fault))

    def _row(self, line: int, cells: list[str]) -> _Row:
        if len(cells) != len(_COLUMNS):
            raise Invalid(f"line {line}: {len(cells)} columns; expected time,usd")
        return _Row(line, _time(line, cells[0].strip()), self._price(line, cells[1].strip()))

    def _price(self, line: int, text: str) -> int:
        if not _NUMBER.fullmatch(text):
            raise Invalid(f"line {line}: {text[:60]!r} is not a price; expected a number above 0 such as 1.25")
        return price_at_scale(Decimal(text), self._price_decimals, f"line {line}")

    def _text(self) -> str:
        try:
            return self._path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as fault:
            raise InvalidFile(
                f"the price file {self._path} of {self._symbol}",
                [f"byte {fault.start}: not UTF-8 text; save it as a UTF-8 CSV file"],
            ) from None
        except OSError as fault:
            raise Unavailable(
                f"the price file {self._path} of {self._symbol} cannot be read: {fault.strerror}; "
                "check the path beside the program file and its permissions"
            ) from None


def _time(line: int, text: str) -> int:
    try:
        time = parse_time(text)
    except Invalid as fault:
        raise Invalid(f"line {line}: {fault}") from None
    if time >= _LATEST_TIME:
        raise Invalid(f"line {line}: {text!r} is not a time in unix seconds; divide milliseconds by 1000")
    return time
