"""Checks of pools: tokens, days, and what belongs to a protocol alone."""

from collections.abc import Iterator

from loyalty.config.checks import (
    chain_names,
    check_order,
    check_reference,
    check_unique,
    token_symbols,
)
from loyalty.config.entries import Document, PoolTable, ProgramTable, TokenTable
from loyalty.config.faults import Place, known, shown
from loyalty.config.readings import LAST_TIME
from loyalty.config.tables import given, rows
from loyalty.core.address import Address
from loyalty.core.times import DAY_SECONDS, day_text

_ONLY_FOR = {
    "curve": ("lp_token", "gauges", "value", "max_deviation"),
    "uniswap_v3": ("fee_pips", "tick_spacing"),
    "stream_vault": ("deployments",),
}
"""Keys that mean something for one protocol only."""

_PAIR = (2, 2, "two different token symbols")
_ASSET = (1, 1, "the symbol of one token: the vault's asset")
_TOKENS = {
    "curve": (2, 4, "two to four different token symbols, in the pool's order"),
    "stream_vault": _ASSET,
    "erc4626": _ASSET,
}
"""By protocol: how many tokens a pool has at least and at most, and in words."""


def check_pools(document: Document) -> None:
    pools = rows(document.pools)
    check_unique(place_and_key for pool in pools for place_and_key in _addresses(pool))
    check_unique(share_token for pool in pools for share_token in _share_tokens(pool))
    for pool in pools:
        check_reference(pool.place.at("chain"), pool.chain, chain_names(document))
        _check_tokens(document, pool)
        _check_protocol(pool)
        _check_deployments(document, pool)
        check_order(pool.place, pool.from_day, pool.until_day)
        _check_counts(document.program, pool)


def _addresses(pool: PoolTable) -> Iterator[tuple[Place, tuple[str, Address]]]:
    """A pool's own address and those of its deployments, each with its chain."""
    yield pool.place.at("address"), (pool.chain, pool.address)
    for deployment in rows(pool.deployments or ()):
        yield deployment.place.at("address"), (deployment.chain, deployment.address)


def _check_deployments(document: Document, pool: PoolTable) -> None:
    """The shares of a vault that were bridged to other chains: one contract a chain."""
    deployments = rows(pool.deployments or ())
    check_unique((each.place.at("chain"), each.chain) for each in deployments)
    for each in deployments:
        check_reference(each.place.at("chain"), each.chain, chain_names(document))
        if known(each.chain, pool.chain) and each.chain == pool.chain:
            each.place.at("chain").fault(shown(each.chain), "another chain than the vault's own")


def _share_tokens(pool: PoolTable) -> Iterator[tuple[Place, tuple[str, Address]]]:
    """A Curve pool's LP token and gauges, each with its chain: two pools, or a pool twice, cannot share one."""
    if not known(pool.protocol) or pool.protocol != "curve":
        return
    lp_token = pool.address if pool.lp_token is None else pool.lp_token
    yield pool.place.at("lp_token"), (pool.chain, lp_token)
    for number, gauge in enumerate(pool.gauges if pool.gauges is not None and known(pool.gauges) else ()):
        yield pool.place.at("gauges", number), (pool.chain, gauge)


def _check_tokens(document: Document, pool: PoolTable) -> None:
    if not known(pool.tokens):
        return
    place = pool.place.at("tokens")
    fewest, most, expected = _TOKENS.get(pool.protocol, _PAIR) if known(pool.protocol) else _PAIR
    if not fewest <= len(pool.tokens) <= most or len(set(pool.tokens)) < len(pool.tokens):
        place.fault(f"[{', '.join(shown(symbol) for symbol in pool.tokens)}]", expected)
        return
    by_symbol = {token.symbol: token for token in rows(document.tokens)}
    for number, symbol in enumerate(pool.tokens):
        check_reference(place.at(number), symbol, token_symbols(document))
        if symbol in by_symbol:
            _check_same_chain(pool, number, by_symbol[symbol], chain_names(document))
            _check_coin(pool, number, by_symbol[symbol])


def _check_same_chain(pool: PoolTable, number: int, token: TokenTable, chains: list[str] | None) -> None:
    if chains is None or token.chain not in chains or pool.chain not in chains or token.chain == pool.chain:
        return
    read = f"{shown(token.symbol)}, a token of the chain {token.chain}"
    pool.place.at("tokens", number).fault(read, f"a token of the pool's chain {pool.chain}")


def _check_coin(pool: PoolTable, number: int, token: TokenTable) -> None:
    """What a Curve pool holds of a coin is read from the coin's own contract, and a vault tells its asset's address."""
    if known(pool.protocol, token.address) and pool.protocol != "uniswap_v3" and token.address is None:
        read = f"{shown(token.symbol)}, a token without an address"
        what = "a curve pool's coins are read there" if pool.protocol == "curve" else "the vault is asked for it"
        pool.place.at("tokens", number).fault(read, f"a token with its address: {what}")


def _check_protocol(pool: PoolTable) -> None:
    if not known(pool.protocol):
        return
    for protocol, names in _ONLY_FOR.items():
        for name in given(pool, names) if pool.protocol != protocol else ():
            pool.place.at(name).fault(f"it for a pool of {pool.protocol}", f"it for {protocol} only: remove it")
    if pool.max_deviation is not None and pool.value in (None, "holdings") and pool.protocol == "curve":
        pool.place.at("max_deviation").fault("it for a pool valued by its holdings", "it for another value: remove it")
    symbol = pool.value.removeprefix("peg:") if pool.value is not None and known(pool.value, pool.tokens) else None
    if symbol is not None and pool.value != symbol and symbol not in pool.tokens:
        pool.place.at("value").fault(shown(pool.value), "peg: and one of the pool's tokens")


def _check_counts(program: ProgramTable, pool: PoolTable) -> None:
    """A pool whose days lie wholly outside of the program is a mistake in a date."""
    if not known(program) or not known(program.start, program.epochs, program.epoch):
        return
    end = program.start + program.epochs * program.epoch
    if end >= LAST_TIME:
        return  # told already, and not a day that can be written
    first, last = program.start // DAY_SECONDS, end // DAY_SECONDS
    during = f"the program ({day_text(first)} to {day_text(last)}), or the pool never counts"
    if pool.from_day is not None and known(pool.from_day) and pool.from_day >= last:
        pool.place.at("from").fault(day_text(pool.from_day), f"a day before the end of {during}")
    if pool.until_day is not None and known(pool.until_day) and pool.until_day <= first:
        pool.place.at("until").fault(day_text(pool.until_day), f"a day after the start of {during}")
