"""Status."""

from fastapi import APIRouter

from loyalty.api.models import status as models
from loyalty.api.parameters import Reading
from loyalty.reports import status as report
from loyalty.reports.shapes import Shape

router = APIRouter(tags=["operation"])


@router.get(
    "/status", response_model=models.StatusAnswer, summary="How far the chains are read, and what blocks settlement"
)
def get_status(database: Reading) -> Shape:
    """Chains, jobs, pool-days without a price, blocked epochs, holds, last backup."""
    return database.show(report.status)
