"""The program."""

from fastapi import APIRouter

from loyalty.api.models import program as models
from loyalty.api.parameters import Reading
from loyalty.reports import program as report
from loyalty.reports.shapes import Shape

router = APIRouter(tags=["program"])


@router.get("/program", response_model=models.Program, summary="The program's rules and where it stands")
def get_program(database: Reading) -> Shape:
    """Name, dates, rules in force now, the running epoch, and what became of the budget."""
    return database.show(report.program)
