"""The program in numbers."""

from fastapi import APIRouter

from loyalty.api.models import program as models
from loyalty.api.parameters import Reading
from loyalty.reports import statistics as report
from loyalty.reports.shapes import Shape

router = APIRouter(tags=["program"])


@router.get("/statistics", response_model=models.Statistics, summary="The program in numbers")
def get_statistics(database: Reading) -> Shape:
    """Providers, tier distribution, total and weighted liquidity, budget and paid."""
    return database.show(report.statistics)
