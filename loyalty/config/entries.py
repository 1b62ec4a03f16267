# ruff: noqa: RUF009 — `needed` and `optional` make dataclass fields
"""The program file, key by key: the one place that says which keys there are, how each is read, and its default."""

from dataclasses import dataclass
from fractions import Fraction

from loyalty.config import readings
from loyalty.config.endpoint_url import EndpointUrl
from loyalty.config.readings import ADDRESS, AMOUNT, DAY, ENDPOINT, MIDNIGHT, USD, WHOLE_DAYS, YES_OR_NO, list_of
from loyalty.config.tables import Table, needed, one_or_more_tables, optional, table, tables
from loyalty.core.address import Address
from loyalty.core.amounts import USD_DECIMALS
from loyalty.core.times import DAY_SECONDS, HOUR_SECONDS
from loyalty.program.rules import Count, OnLapse

PROTOCOLS = ("uniswap_v3", "curve", "erc4626", "stream_vault")

CHAIN_NAME = readings.text('a chain\'s name: lower-case letters, digits and "-"', r"[a-z0-9]+(-[a-z0-9]+)*", 40)
LINE = readings.text("a text on one line")
SYMBOL = readings.text("a token's symbol without spaces", r"(?!0x[0-9a-fA-F]{40}$)\S+", 32)
COIN = readings.text('a CoinGecko id, such as "wrapped-bitcoin"', r"[a-z0-9][a-z0-9._-]*", 100)
LLAMA = readings.text('a DefiLlama coin, such as "arbitrum:0x…"', r"[a-z0-9_-]+:\S+", 120)
VALUE = readings.text('"holdings", "virtual_price" or "peg:SYMBOL"', r"holdings|virtual_price|peg:\S+", 40)
BLOCK = readings.whole(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramTable(Table):
    name: str = needed(LINE)
    start: int = needed(MIDNIGHT)
    epochs: int = optional(readings.whole(1, 10_000), 30)
    epoch: int = optional(WHOLE_DAYS, 7 * DAY_SECONDS)
    count: Count = optional(readings.choice("full", "in_range"), "full")
    minimum_usd: int = optional(USD, 0)
    on_lapse: OnLapse = optional(readings.choice("reset", "pause"), "reset")
    settle_after: int = optional(readings.duration(0, "24h"), DAY_SECONDS)
    unresolved_usd: int = optional(USD, 1_000 * 10**USD_DECIMALS)


@dataclass(frozen=True, slots=True, kw_only=True)
class UsdShareTable(Table):
    of: str = needed(SYMBOL)
    fraction: Fraction = needed(readings.positive("0.25"))


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardTable(Table):
    """Amounts stay as written until the token's decimals are known."""

    token: str = needed(SYMBOL)
    total: str | None = optional(AMOUNT)
    per_epoch: tuple[str, ...] | None = optional(list_of(AMOUNT, 'a list of amounts, one an epoch: ["1000", …]', 1))
    usd_share: UsdShareTable | None = optional(table(UsdShareTable))


@dataclass(frozen=True, slots=True, kw_only=True)
class TierTable(Table):
    """`name` None stands for "Tier n", n counted from 1 in the order of the file."""

    name: str | None = optional(LINE)
    from_epoch: int = needed(readings.whole(1))
    multiplier: Fraction = needed(readings.positive("1.2"))
    minimum_usd: int = optional(USD, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionManagerTable(Table):
    address: Address = needed(ADDRESS)
    start_block: int = optional(BLOCK, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainTable(Table):
    name: str = needed(CHAIN_NAME)
    id: int = needed(readings.whole(1))
    rpc: tuple[EndpointUrl, ...] = optional(list_of(ENDPOINT, 'a list of endpoints: ["https://…"]'), ())
    position_managers: tuple[PositionManagerTable, ...] = optional(
        tables(PositionManagerTable, '[{ address = "0x…", start_block = 0 }]'), ()
    )
    confirmations: int = optional(readings.whole(0, 1_000_000), 0)
    span_blocks: int = optional(readings.whole(1, 4_000_000), 4_000_000)
    timeout: int = optional(readings.duration(1, "30s"), 30)
    parallel: int = optional(readings.whole(1, 64), 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTable(Table):
    """Exactly one is given. `fixed` stays as written until the token's price_decimals are known."""

    chainlink: Address | None = optional(ADDRESS)
    coingecko: str | None = optional(COIN)
    defillama: str | None = optional(LLAMA)
    pool: Address | None = optional(ADDRESS)
    fixed: str | None = optional(AMOUNT)
    file: str | None = optional(readings.text("the path of a CSV file, beside the program file", longest=1000))


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenTable(Table):
    symbol: str = needed(SYMBOL)
    chain: str | None = optional(CHAIN_NAME)
    address: Address | None = optional(ADDRESS)
    decimals: int = needed(readings.whole(0, 36))
    price_decimals: int = optional(readings.whole(0, 18), 8)
    max_age: int = optional(readings.duration(1, "2h"), 2 * HOUR_SECONDS)
    price: tuple[PriceTable, ...] = optional(
        one_or_more_tables(PriceTable, 'a price such as { coingecko = "tbtc" }, or a list of them, tried in order'), ()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentTable(Table):
    chain: str = needed(CHAIN_NAME)
    address: Address = needed(ADDRESS)
    start_block: int = needed(BLOCK)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolTable(Table):
    chain: str = needed(CHAIN_NAME)
    protocol: str = needed(readings.choice(*PROTOCOLS))
    address: Address = needed(ADDRESS)
    start_block: int = needed(BLOCK)
    tokens: tuple[str, ...] = needed(list_of(SYMBOL, 'a list of token symbols, such as ["WBTC", "tBTC"]'))
    fee_pips: int | None = optional(readings.whole(0, 999_999))
    tick_spacing: int | None = optional(readings.whole(1, 16_383))
    weight: Fraction = optional(readings.positive("1"), Fraction(1))
    from_day: int | None = optional(DAY, name="from")
    until_day: int | None = optional(DAY, name="until")
    lp_token: Address | None = optional(ADDRESS)
    gauges: tuple[Address, ...] | None = optional(list_of(ADDRESS, 'a list of addresses: ["0x…"]'))
    value: str | None = optional(VALUE)
    max_deviation: Fraction | None = optional(readings.positive("0.02"))
    deployments: tuple[DeploymentTable, ...] | None = optional(
        tables(DeploymentTable, '[{ chain = "base", address = "0x…", start_block = 1 }]')
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LookThroughTable(Table):
    chain: str = needed(CHAIN_NAME)
    address: Address = needed(ADDRESS)
    shares: Address | None = optional(ADDRESS)
    kind: str | None = optional(readings.choice("nft_staker"))
    start_block: int | None = optional(BLOCK)
    deposit: str | None = optional(readings.event())
    withdraw: str | None = optional(readings.event(withdraws=True))
    position_manager: Address | None = optional(ADDRESS)


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsTable(Table):
    name: str = needed(LINE)
    pools: tuple[Address, ...] = needed(list_of(ADDRESS, 'a list of pool addresses: ["0x…"]', 1))
    per_usd_per_round: Fraction | None = optional(readings.positive("1"))
    per_usd_day: Fraction | None = optional(readings.positive("1"))
    require_no_unstake: bool = optional(YES_OR_NO, True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExclusionTable(Table):
    address: Address = needed(ADDRESS)
    reason: str = needed(LINE)
    from_day: int | None = optional(DAY, name="from")
    until_day: int | None = optional(DAY, name="until")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document(Table):
    """The whole file. `tiers` None stands for the default tiers; an empty list for none."""

    program: ProgramTable = needed(table(ProgramTable))
    rewards: tuple[RewardTable, ...] = optional(tables(RewardTable, "[[rewards]]"), ())
    tiers: tuple[TierTable, ...] | None = optional(tables(TierTable, "[[tiers]]"))
    chains: tuple[ChainTable, ...] = optional(tables(ChainTable, "[[chains]]"), ())
    tokens: tuple[TokenTable, ...] = optional(tables(TokenTable, "[[tokens]]"), ())
    pools: tuple[PoolTable, ...] = optional(tables(PoolTable, "[[pools]]"), ())
    look_through: tuple[LookThroughTable, ...] = optional(tables(LookThroughTable, "[[look_through]]"), ())
    points: tuple[PointsTable, ...] = optional(tables(PointsTable, "[[points]]"), ())
    exclusions: tuple[ExclusionTable, ...] = optional(tables(ExclusionTable, "[[exclusions]]"), ())
