"""The tiers."""

from fastapi import APIRouter

from loyalty.api.models import program as models
from loyalty.api.parameters import Reading
from loyalty.reports import statistics as report
from loyalty.reports.shapes import Shape

router = APIRouter(tags=["program"])


@router.get("/tiers", response_model=models.Tiers, summary="The tiers, and how many are in each")
def get_tiers(database: Reading) -> Shape:
    """Ascending; the last one that a provider has reached applies."""
    return database.show(report.tiers)
