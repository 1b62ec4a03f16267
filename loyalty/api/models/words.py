"""Words that many answers share: a field's meaning, unit and example, said once."""

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field


class Model(BaseModel):
    """Answers have exactly these keys: one that is not described here is an error of ours."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def means(description: str, example: Any) -> Any:
    """A field that is always there."""
    return Field(description=description, examples=[example])


Status = Annotated[
    Literal["provisional", "computed", "settled"],
    means("provisional: can still change; computed: rests on final blocks; settled: closed, with a digest", "settled"),
]
Time = Annotated[str, means("RFC 3339, UTC, whole seconds", "2026-04-20T00:00:00Z")]
ChainId = Annotated[int, means("EVM chain id", 42161)]
PoolAddress = Annotated[str, means("the pool's address, EIP-55", "0xe9e6b9AAAfaf6816C3364345F6eF745CcFC8660a")]
ProviderAddress = Annotated[str, means("the provider's address, EIP-55", "0x8ba1f109551bD432803012645Ac136ddd64DBA72")]
Multiplier = Annotated[str, means("the factor of the tier, an exact decimal", "1.2")]
TierName = Annotated[str, means("the tier's name", "Tier 2")]
EpochNumber = Annotated[int, means("the epoch's number, from 1", 3)]
Usd = Annotated[str, means("US dollars, exactly 6 decimals", "1250.000000")]
UsdDays = Annotated[
    str, means("dollar-days (one dollar held for one day), exactly 6 decimals, rounded down once", "8750.000000")
]
Weight = Annotated[str, means("dollar-days x pool weights x multiplier, an exact decimal", "10500.5")]
Tokens = Annotated[list[str], means("symbols of the two tokens", ["WBTC", "tBTC"])]
From = Annotated[str | None, means("first day on which it holds; null: from the start", "2024-09-09")]
Until = Annotated[str | None, means("first day on which it holds no more; null: to the end", None)]
Excluded = Annotated[str | None, means("why the address does not earn now; null where it does", None)]
Tick = Annotated[int | None, means("the pool's tick now, null before its Initialize", -195896)]


class Amount(Model):
    """An amount of a token."""

    token: str = means("the token's symbol", "ARB")
    amount: str = means("whole tokens, an exact decimal without trailing zeros", "1666.5")
    amount_units: str = means("the same in the token's smallest unit, an integer", "1666500000000000000000")


AN_AMOUNT = {"token": "ARB", "amount": "1.5", "amount_units": "1500000000000000000"}
Amounts = Annotated[list[Amount], means("one amount a reward token", [AN_AMOUNT])]


class Place(Model):
    """The block of a chain up to which an answer counts."""

    chain: ChainId
    block: int = means("block number", 230_000_000)
    block_hash: str | None = means("the block's hash; null where it is not kept any more (old final blocks)", "0x9f…")
    time: Time


_PLACE = {"chain": 42161, "block": 230_000_000, "block_hash": None, "time": "2026-04-20T00:00:00Z"}
AsOf = Annotated[
    list[Place], means("per chain the block up to which the answer counts; empty before the first", [_PLACE])
]


class Moving(Model):
    """What every answer that moves says of itself."""

    as_of: AsOf
    status: Status


Item = TypeVar("Item")


class Listed(Moving, Generic[Item]):
    """A page of a list."""

    items: list[Item] = Field(description="the rows of this page, in the list's order")
    after: str | None = means("send it as `after` for the next page; null on the last one", None)
