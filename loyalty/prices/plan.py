"""What a subscription to a price source allows."""

from loyalty.core.errors import Invalid


class BeyondPlan(Invalid):
    """Prices older than the plan gives were asked for; those from `since` (unix seconds, a full hour) on can be had."""

    def __init__(self, message: str, since: int) -> None:
        super().__init__(message)
        self.since = since
