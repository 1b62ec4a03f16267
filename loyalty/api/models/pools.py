"""Pools."""

from pydantic import Field

from loyalty.api.models.words import (
    ChainId,
    From,
    Listed,
    Model,
    Moving,
    PoolAddress,
    Status,
    Tick,
    Tokens,
    Until,
    Usd,
    UsdDays,
    means,
)


class Pool(Moving):
    """A pool, what lies in it now, and how far it is computed."""

    chain: ChainId
    chain_name: str = means("the chain's name in the program file", "arbitrum")
    pool: PoolAddress
    protocol: str = means("its protocol", "uniswap_v3")
    tokens: Tokens = means("symbols of its tokens, in the pool's order", ["WBTC", "tBTC"])
    fee_pips: int | None = means("fee in millionths; null where not known", 500)
    tick_spacing: int | None = means("tick spacing; null where not known", 10)
    weight: str | None = means("what a dollar-day in it counts; null where the rules do not name it any more", "1")
    from_: From = Field(alias="from")
    until: Until
    start_block: int = means("first block that is indexed", 91_124_443)
    next_block: int = means("the cursor: everything below is indexed", 230_000_001)
    usd: Usd = means("held by providers now, excluded ones too, USD", "4039676.729234")
    usd_in_range: Usd = means("the part in range, USD", "3994639.120706")
    providers: int = means("providers with a balance", 88)
    tick: Tick
    sqrt_price_x96: str | None = means(
        "sqrt(token1 / token0) x 2^96 in smallest units, an integer", "79228162514264337593543950336"
    )
    price_time: str | None = means("when the price last changed, RFC 3339", "2026-05-04T12:00:00Z")
    unpriced_days: list[str] = means("days that wait for a price; they block settlement", [])


class PoolDay(Model):
    """A pool's UTC day: the providers' cells, added up."""

    date: str = means("UTC day", "2026-05-04")
    usd_days: UsdDays
    usd_days_in_range: UsdDays = means("the part in range, dollar-days, 6 decimals", "1000.000000")
    providers: int = means("providers who held something", 88)
    status: Status


class PoolWithDays(Pool):
    """A pool with its last 30 days."""

    days: list[PoolDay] = means("the last 30 days, oldest first", [])


class Pools(Listed[Pool]):
    """Pools by chain and address."""
