"""Providers: the list, and everything about one of them."""

from typing import Annotated

from fastapi import APIRouter, Query

from loyalty.api.models import epochs as reward_models
from loyalty.api.models import explain as explain_models
from loyalty.api.models import providers as models
from loyalty.api.parameters import AddressPath, CutQuery, DaysQuery, Reading
from loyalty.reports import explain, positions
from loyalty.reports import provider as report
from loyalty.reports import providers as list_report
from loyalty.reports.shapes import Shape

router = APIRouter(prefix="/providers", tags=["providers"])
SortQuery = Annotated[
    str,
    Query(
        description="weight, usd, average_usd, participation_epoch or address; a minus puts the largest first",
        max_length=40,
        examples=["-weight"],
    ),
]
TierQuery = Annotated[str | None, Query(description="only this tier", max_length=100, examples=["Tier 2"])]
EpochQuery = Annotated[int, Query(description="the epoch's number, from 1", ge=1, le=100_000, examples=[3])]


@router.get("", response_model=models.Providers, summary="The providers, with tiers and rewards")
def get_providers(database: Reading, cut: CutQuery, sort: SortQuery = "-weight", tier: TierQuery = None) -> Shape:
    """Everybody who holds something, takes part, or ever earned something."""
    return database.show(lambda snapshot: list_report.providers(snapshot, cut, sort, tier))


@router.get("/{address}", response_model=models.Provider, summary="A provider")
def get_provider(database: Reading, address: AddressPath) -> Shape:
    """Balance, tier and progression, the last 30 days, the last rewards."""
    return database.show(lambda snapshot: report.provider(snapshot, address))


@router.get("/{address}/daily", response_model=models.Days, summary="A provider's days")
def get_daily(database: Reading, address: AddressPath, days: DaysQuery, cut: CutQuery) -> Shape:
    """From `from` through `to`, at most 1,000 days; without them the last 30."""
    return database.show(lambda snapshot: report.daily(snapshot, address, *days, cut))


@router.get("/{address}/rewards", response_model=reward_models.Rewards, summary="A provider's rewards")
def get_rewards(database: Reading, address: AddressPath, cut: CutQuery) -> Shape:
    """Of every epoch, newest first."""
    return database.show(lambda snapshot: report.rewards(snapshot, address, cut))


@router.get("/{address}/positions", response_model=models.Positions, summary="A provider's positions")
def get_positions(database: Reading, address: AddressPath, cut: CutQuery) -> Shape:
    """Those with liquidity now: range, liquidity, in range or not."""
    return database.show(lambda snapshot: positions.positions(snapshot, address, cut))


@router.get("/{address}/explain", response_model=explain_models.Explanation, summary="Why a provider got what it got")
def get_explanation(database: Reading, address: AddressPath, epoch: EpochQuery) -> Shape:
    """Line by line from the reward to weight, tier, days, positions, prices and log ids; provisional epochs too."""
    return database.show(lambda snapshot: explain.explanation(snapshot, address, epoch))
