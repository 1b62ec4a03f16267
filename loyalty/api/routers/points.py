"""Points: of an address, of everybody; rounds of vaults and their events."""

from typing import Annotated

from fastapi import APIRouter, Query

from loyalty.api.models import points as models
from loyalty.api.parameters import AddressPath, CutQuery, Reading
from loyalty.core.address import Address, parse_address
from loyalty.reports import points as report
from loyalty.reports import rounds as rounds_report
from loyalty.reports import vault_events as events_report
from loyalty.reports.shapes import Shape

router = APIRouter(tags=["points"])
ScoreQuery = Annotated[
    str | None, Query(description="the score; by default the program's first", max_length=200, examples=["droplets"])
]
AddressQuery = Annotated[
    str | None,
    Query(
        description="only those of this address", max_length=64, examples=["0x8ba1f109551bD432803012645Ac136ddd64DBA72"]
    ),
]
PoolQuery = Annotated[
    str | None,
    Query(
        description="only those of the vault at this address",
        max_length=64,
        examples=["0xe9e6b9AAAfaf6816C3364345F6eF745CcFC8660a"],
    ),
]
KindQuery = Annotated[
    str | None,
    Query(
        description="only this kind: stake, instant_unstake, unstake, redeem, roll, deposit, withdraw or transfer",
        max_length=40,
        examples=["stake"],
    ),
]


@router.get("/points/{address}", response_model=models.ProviderPoints, summary="An address's points")
def get_points(database: Reading, address: AddressPath, cut: CutQuery) -> Shape:
    """Total and rank in every score, and a line for each round and day, the newest first, with all it follows from."""
    return database.show(lambda snapshot: report.provider_points(snapshot, address, cut))


@router.get("/leaderboard", response_model=models.Leaderboard, summary="Who has most points")
def get_leaderboard(database: Reading, cut: CutQuery, score: ScoreQuery = None) -> Shape:
    """Most points first. Equal points share a rank, the lower address first, and the next rank counts them all."""
    return database.show(lambda snapshot: report.leaders(snapshot, cut, score))


@router.get("/rounds", response_model=models.Rounds, summary="The rounds of vaults")
def get_rounds(database: Reading, cut: CutQuery) -> Shape:
    """The newest first; one that is open has no end yet."""
    return database.show(lambda snapshot: rounds_report.vault_rounds(snapshot, cut))


@router.get("/events", response_model=models.Events, summary="What happened in vaults")
def get_events(
    database: Reading,
    cut: CutQuery,
    address: AddressQuery = None,
    pool: PoolQuery = None,
    kind: KindQuery = None,
) -> Shape:
    """Stakes, unstakes, redeems, rolls, deposits, withdrawals and transfers of shares, the newest first."""
    account, vault = _address(address), _address(pool)
    return database.show(lambda snapshot: events_report.events(snapshot, cut, account, vault, kind))


def _address(text: str | None) -> Address | None:
    return None if text is None else parse_address(text)
