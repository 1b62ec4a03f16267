"""What requests may carry: addresses, pages, days; and the refusal of what nobody asked for."""

from collections import Counter
from typing import Annotated

from fastapi import Depends, Path, Query, Request

from loyalty.api.database import Database
from loyalty.api.door import route_of
from loyalty.core.address import Address, parse_address
from loyalty.core.errors import Invalid
from loyalty.core.times import parse_day
from loyalty.reports.paging import Cut

LIMIT_DEFAULT = 50
LIMIT_MOST = 500


def database(request: Request) -> Database:
    found: Database = request.app.state.database
    return found


def known_parameters(request: Request) -> None:
    """Query parameters that the path does not have are refused by name: a misspelt filter must not pass for none."""
    route = request.scope["route"]
    known = {parameter.alias for parameter in route.dependant.query_params}
    for each in route.dependant.dependencies:
        known |= {parameter.alias for parameter in each.query_params}
    given = Counter(name for name, _ in request.query_params.multi_items())
    for name, count in given.items():
        if name not in known:
            allowed = f"it has {', '.join(sorted(known))}" if known else "it has none"
            raise Invalid(f"{name[:40]!r} is not a query parameter of {route_of(request.scope)}: {allowed}")
        if count > 1:
            raise Invalid(f"{name!r} is given {count} times: give it once")


def _address(
    address: Annotated[
        str,
        Path(
            description="0x and 40 hexadecimal digits; a mixed case must carry the right checksum (EIP-55)",
            examples=["0x8ba1f109551bD432803012645Ac136ddd64DBA72"],
            max_length=64,
        ),
    ],
) -> Address:
    return parse_address(address)


def _cut(
    limit: Annotated[
        int, Query(description="rows on a page", ge=1, le=LIMIT_MOST, examples=[LIMIT_DEFAULT])
    ] = LIMIT_DEFAULT,
    after: Annotated[
        str | None,
        Query(description="`after` of the page before, unchanged; without it the first page", max_length=1000),
    ] = None,
) -> Cut:
    return Cut(limit, after)


def _day(text: str | None) -> int | None:
    return None if text is None else parse_day(text)


def _days(
    first: Annotated[
        str | None, Query(alias="from", description="first UTC day, YYYY-MM-DD", max_length=10, examples=["2026-05-01"])
    ] = None,
    last: Annotated[
        str | None, Query(alias="to", description="last UTC day, YYYY-MM-DD", max_length=10, examples=["2026-05-31"])
    ] = None,
) -> tuple[int | None, int | None]:
    return _day(first), _day(last)


Reading = Annotated[Database, Depends(database)]
AddressPath = Annotated[Address, Depends(_address)]
CutQuery = Annotated[Cut, Depends(_cut)]
DaysQuery = Annotated[tuple[int | None, int | None], Depends(_days)]
EpochPath = Annotated[int, Path(description="the epoch's number, from 1", ge=1, le=100_000, examples=[3])]
