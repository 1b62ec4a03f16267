"""Checks of tokens: symbols, addresses, price sources, and that a price can be had where one is needed."""

from collections.abc import Iterator
from fractions import Fraction

from loyalty.config.checks import chain_names, check_exactly_one, check_reference, check_unique
from loyalty.config.entries import Document, PriceTable, TokenTable
from loyalty.config.faults import Place, known, shown
from loyalty.config.price_settings import price_at_scale
from loyalty.config.tables import given, rows
from loyalty.core.errors import Invalid

PRICE_SOURCES = ("chainlink", "coingecko", "defillama", "pool", "fixed", "file")
_BELONGS_TO = {"heartbeat": "chainlink", "window": "pool", "allow_rewarded": "pool"}


def check_tokens(document: Document) -> None:
    tokens = rows(document.tokens)
    check_unique((token.place.at("symbol"), token.symbol) for token in tokens)
    check_unique(
        (token.place.at("address"), (token.chain, token.address)) for token in tokens if token.address is not None
    )
    for token in tokens:
        _check_home(token, chain_names(document))
        for price in (*rows(token.price), *rows(token.references)):
            _check_price(token, price, document)
        _check_limit(token)
    _check_needed_prices(document)


def _check_home(token: TokenTable, chains: list[str] | None) -> None:
    """A token with an address has a chain, and the other way round: without an address it belongs to no chain."""
    if token.address is not None and token.chain is None:
        token.place.at("chain").fault("nothing", "the name of the chain that the address is on")
    if token.chain is None:
        return
    check_reference(token.place.at("chain"), token.chain, chains)
    if token.address is None:
        token.place.at("address").fault("nothing", "the token's address on the chain; or leave out chain too")


def _check_price(token: TokenTable, price: PriceTable, document: Document) -> None:
    if not check_exactly_one(price, PRICE_SOURCES):
        return
    for name, source in _BELONGS_TO.items():
        if given(price, (name,)) and not given(price, (source,)):
            price.place.at(name).fault(shown(getattr(price, name)), f"it beside {source} only: remove it")
    if given(price, ("chainlink", "pool")) and token.chain is None:
        token.place.at("chain").fault("nothing", "the chain on which the price is read")
    _check_rewarded(token, price, document)
    if price.fixed is None or not known(price.fixed, token.price_decimals):
        return
    try:
        price_at_scale(Fraction(price.fixed), token.price_decimals)
    except Invalid as fault:
        price.place.at("fixed").fault(shown(price.fixed), str(fault))


def _check_rewarded(token: TokenTable, price: PriceTable, document: Document) -> None:
    """A pool that the program rewards prices nothing, unless the operator says so."""
    if price.pool is None or price.allow_rewarded or not known(price.pool, token.chain, price.allow_rewarded):
        return
    rewarded = {(pool.chain, pool.address) for pool in rows(document.pools) if known(pool.chain, pool.address)}
    if (token.chain, price.pool) in rewarded:
        price.place.at("pool").fault(
            shown(price.pool),
            "a pool that the program does not reward: who moves this price is paid by it. Take another source, or set "
            "allow_rewarded = true, with max_deviation for the token",
        )


def _check_limit(token: TokenTable) -> None:
    """A deviation limit has something to compare with, and what is only compared with has a limit."""
    if not known(token.price, token.max_deviation, token.references):
        return
    if token.references and token.max_deviation is None:
        token.place.at("max_deviation").fault("nothing", 'a limit such as "0.02", within which references confirm')
    if token.max_deviation is not None and (not token.price or len(token.price) + len(token.references) < 2):
        token.place.at("references").fault(
            "nothing", "another source to compare with: max_deviation needs two sources, here or in price"
        )
    if token.max_deviation is not None:
        check_unique((each.place, _identity(each)) for each in (*rows(token.price), *rows(token.references)))


def _identity(price: PriceTable) -> tuple[object, ...] | None:
    """Which source it is; None where it names none or several."""
    named = given(price, PRICE_SOURCES)
    return (named[0], getattr(price, named[0])) if len(named) == 1 else None


def _check_needed_prices(document: Document) -> None:
    """One fault for a token without any source, however often its price is needed."""
    needed: dict[str, Place] = {}
    for symbol, place in _needs(document):
        needed.setdefault(symbol, place)
    for token in rows(document.tokens):
        if known(token.symbol, token.price) and not token.price and token.symbol in needed:
            what = f'a price source such as {{ coingecko = "…" }}: {needed[token.symbol].path} needs the price'
            token.place.at("price").fault("nothing", what)


def _needs(document: Document) -> Iterator[tuple[str, Place]]:
    """The symbols whose price is needed, each with the place that needs it."""
    for pool in rows(document.pools):
        for symbol in pool.tokens if known(pool.tokens) else ():
            yield symbol, pool.place
    for reward in rows(document.rewards):
        share = reward.usd_share
        if share is None or not known(share):
            continue
        for symbol in (reward.token, share.of):
            if known(symbol):
                yield symbol, share.place
