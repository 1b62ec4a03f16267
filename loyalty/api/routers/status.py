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
    told = database.show(report.status)
    for job in told["jobs"]:
        if job["last_error"] is not None:
            job["last_error"] = database.without_place(job["last_error"])
    return told
