"""Pools."""

from typing import Annotated

from fastapi import APIRouter, Path

from loyalty.api.models import pools as models
from loyalty.api.parameters import AddressPath, CutQuery, Reading
from loyalty.reports import pools as report
from loyalty.reports.shapes import Shape

router = APIRouter(prefix="/pools", tags=["pools"])
ChainPath = Annotated[str, Path(description="the chain's id or its name", max_length=100, examples=["42161"])]


@router.get("", response_model=models.Pools, summary="The pools")
def get_pools(database: Reading, cut: CutQuery) -> Shape:
    """By chain and address."""
    return database.show(lambda snapshot: report.pools(snapshot, cut))


@router.get("/{chain}/{address}", response_model=models.PoolWithDays, summary="A pool")
def get_pool(database: Reading, chain: ChainPath, address: AddressPath) -> Shape:
    """What lies in it now, and its last 30 days."""
    return database.show(lambda snapshot: report.pool(snapshot, report.chain_id_of(snapshot, chain), address))
