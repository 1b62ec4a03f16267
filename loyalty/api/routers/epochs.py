"""Epochs and their rewards."""

from typing import Annotated

from fastapi import APIRouter, Query

from loyalty.api.models import epochs as models
from loyalty.api.parameters import CutQuery, EpochPath, Reading
from loyalty.reports import epochs as report
from loyalty.reports.shapes import Shape

router = APIRouter(prefix="/epochs", tags=["epochs"])
TokenQuery = Annotated[str | None, Query(description="only this reward token", max_length=40, examples=["ARB"])]


@router.get("", response_model=models.Epochs, summary="The epochs that have begun")
def get_epochs(database: Reading, cut: CutQuery) -> Shape:
    """In order; the running one is provisional."""
    return database.show(lambda snapshot: report.epochs(snapshot, cut))


@router.get("/{number}", response_model=models.EpochWithUnresolved, summary="An epoch")
def get_epoch(database: Reading, number: EpochPath) -> Shape:
    """What there was to divide, what became of it, what blocks settlement, and the digest once settled."""
    return database.show(lambda snapshot: report.epoch(snapshot, number))


@router.get("/{number}/rewards", response_model=models.Rewards, summary="An epoch's rewards")
def get_epoch_rewards(database: Reading, number: EpochPath, cut: CutQuery, token: TokenQuery = None) -> Shape:
    """By token and address. They add up to what the epoch paid, to the unit."""
    return database.show(lambda snapshot: report.epoch_rewards(snapshot, number, token, cut))
