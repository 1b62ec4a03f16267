"""Check exchanges: what went in and out of an ERC-4626 vault, against what its contract said that a share is worth.

An exchange is no price: whoever deposits one wei sets its ratio at will. But one of a whole share or more that is far
off the answer in force says that something is wrong: the vault takes a fee, or its contract answered nonsense.
"""

import logging

from sqlalchemy import Connection

from loyalty import metrics
from loyalty.core.address import checksum
from loyalty.core.amounts import format_units
from loyalty.core.times import day_span, time_text
from loyalty.jobs.histories.share_worth import ANSWER_MAX_AGE
from loyalty.protocols.vaults.erc4626.price import Deviation, GridAnswer, deviations
from loyalty.state import asset_exchanges, share_answers, vaults
from loyalty.state.pools import PoolRow

LIMIT_PPM = 20_000
"""Two percent leave room for an hour's yield and the usual fees."""

_log = logging.getLogger(__name__)


def check_exchanges(connection: Connection, pool: PoolRow, day: int) -> list[Deviation]:
    """Those of a vault's day that are off the price, told in the log and counted; of other pools none."""
    if pool.protocol != "erc4626":
        return []
    span, decimals = day_span(day), vaults.get(connection, pool.id).share_decimals
    answers = share_answers.answers(connection, pool.id, span)
    found = deviations(
        asset_exchanges.within(connection, pool.id, span),
        [GridAnswer(each.block, each.valid_time, each.value) for each in answers],
        share_decimals=decimals,
        minimum_shares=10**decimals,
        limit_ppm=LIMIT_PPM,
        max_age=ANSWER_MAX_AGE,
    )
    for each in found:
        metrics.observe_exchange_deviation(pool.address)
        _log.warning(
            "exchange off the price vault=%s time=%s kind=%s shares=%s ppm=%s",
            checksum(pool.address),
            time_text(each.exchange.time),
            each.exchange.kind,
            format_units(each.exchange.shares, decimals),
            each.ppm,
        )
    return found
