"""From a document without a fault to the program: defaults filled in, names resolved, amounts in units."""

from fractions import Fraction
from pathlib import Path

from loyalty.config.building_holders import built_look_through
from loyalty.config.building_points import built_points
from loyalty.config.building_pools import built_pools, pool_rule
from loyalty.config.checks_budget import tier_name
from loyalty.config.checks_chains import Endpoints
from loyalty.config.entries import (
    ChainTable,
    Document,
    PriceTable,
    RewardTable,
    TokenTable,
)
from loyalty.config.price_settings import (
    ChainlinkPrice,
    CoinGeckoPrice,
    DefiLlamaPrice,
    FilePrice,
    FixedPrice,
    PoolPrice,
    PriceSetting,
    price_at_scale,
)
from loyalty.config.program import (
    ChainSettings,
    LookThroughSettings,
    PoolSettings,
    PositionManager,
    Program,
    TokenSettings,
)
from loyalty.config.settings import rpc_variable
from loyalty.core.amounts import parse_units
from loyalty.core.errors import Invalid
from loyalty.program.rules import Exclusion, Reward, Rules, Tier, Token, UsdShare

DEFAULT_TIERS = (
    Tier("Tier 1", 1, Fraction(1), 0),
    Tier("Tier 2", 5, Fraction("1.2"), 0),
    Tier("Tier 3", 13, Fraction("1.5"), 0),
    Tier("Tier 4", 21, Fraction(2), 0),
)


def built(document: Document, path: Path, endpoints: Endpoints) -> Program:
    """The program of a document in which every check found nothing."""
    folder = path.absolute().parent
    ids = {chain.name: chain.id for chain in document.chains}
    tokens = tuple(_token(entry, ids, folder) for entry in document.tokens)
    pools = built_pools(document.pools, ids, {each.token.symbol: each.token for each in tokens})
    look_through = built_look_through(document, ids, pools)
    return Program(
        rules=_rules(document, {each.token.symbol: each.token for each in tokens}, pools, look_through),
        chains=tuple(_chain(entry, endpoints, folder) for entry in document.chains),
        pools=pools,
        tokens=tokens,
        look_through=look_through,
        path=path,
    )


def _rules(
    document: Document,
    tokens: dict[str, Token],
    pools: tuple[PoolSettings, ...],
    look_through: tuple[LookThroughSettings, ...],
) -> Rules:
    program = document.program
    return Rules(
        name=program.name,
        start=program.start,
        epochs=program.epochs,
        epoch_seconds=program.epoch,
        count=program.count,
        minimum_usd_micro=program.minimum_usd,
        on_lapse=program.on_lapse,
        settle_after=program.settle_after,
        tiers=_tiers(document),
        rewards=tuple(_reward(entry, tokens[entry.token].decimals) for entry in document.rewards),
        tokens=tokens,
        pools=tuple(pool_rule(pool) for pool in pools),
        exclusions=tuple(Exclusion(e.address, e.reason, e.from_day, e.until_day) for e in document.exclusions),
        points=built_points(document.points, pools, program.count),
        look_through=tuple(each.rule for each in look_through),
        unresolved_usd_micro=program.unresolved_usd,
    )


def _tiers(document: Document) -> tuple[Tier, ...]:
    if document.tiers is None:
        return DEFAULT_TIERS
    return tuple(
        Tier(tier_name(entry, number), entry.from_epoch, entry.multiplier, entry.minimum_usd)
        for number, entry in enumerate(document.tiers, 1)
    )


def _reward(entry: RewardTable, decimals: int) -> Reward:
    return Reward(
        token=entry.token,
        total_units=None if entry.total is None else parse_units(entry.total, decimals),
        per_epoch_units=None if entry.per_epoch is None else tuple(parse_units(a, decimals) for a in entry.per_epoch),
        usd_share=None if entry.usd_share is None else UsdShare(entry.usd_share.of, entry.usd_share.fraction),
    )


def _chain(entry: ChainTable, endpoints: Endpoints, folder: Path) -> ChainSettings:
    variable = rpc_variable(entry.name)
    replaced = variable in endpoints
    return ChainSettings(
        name=entry.name,
        id=entry.id,
        endpoints=endpoints[variable] if replaced else entry.rpc,
        position_managers=tuple(PositionManager(each.address, each.start_block) for each in entry.position_managers),
        confirmations=entry.confirmations,
        span_blocks=entry.span_blocks,
        timeout=entry.timeout,
        parallel=entry.parallel,
        endpoints_from=variable if replaced else "the program file",
        base=Path.cwd() if replaced else folder,
    )


def _token(entry: TokenTable, ids: dict[str, int], folder: Path) -> TokenSettings:
    token = Token(
        symbol=entry.symbol,
        chain=0 if entry.chain is None else ids[entry.chain],
        address=entry.address,
        decimals=entry.decimals,
        price_decimals=entry.price_decimals,
        max_age=entry.max_age,
    )
    return TokenSettings(token, tuple(_price(price, token.price_decimals, folder) for price in entry.price))


def _price(entry: PriceTable, price_decimals: int, folder: Path) -> PriceSetting:
    match entry:
        case PriceTable(fixed=str(usd)):
            return FixedPrice(price_at_scale(Fraction(usd), price_decimals))
        case PriceTable(file=str(path)):
            return FilePrice(folder / path)
        case PriceTable(coingecko=str(coin)):
            return CoinGeckoPrice(coin)
        case PriceTable(chainlink=str(proxy)):
            return ChainlinkPrice(proxy)
        case PriceTable(defillama=str(coin)):
            return DefiLlamaPrice(coin)
        case PriceTable(pool=str(pool)):
            return PoolPrice(pool)
    raise Invalid(f"{entry.place.path} names no price source")
