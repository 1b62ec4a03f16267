"""Price contracts: the feeds and pools on a chain that the program takes prices from, checked when they are new.

They are asked once, at the head, when they are new in the file; then the index follows them with the pools.
"""

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from loyalty.chain.chain import Chain
from loyalty.config import ChainlinkPrice, PoolPrice, Program
from loyalty.core.address import Address, checksum
from loyalty.core.errors import Invalid
from loyalty.jobs.followers import chainlink, pool_price
from loyalty.program.rules import Token
from loyalty.protocols.chainlink.contract import DECIMALS as FEED_DECIMALS
from loyalty.protocols.chainlink.contract import LATEST_ROUND_DATA, PHASE_ID, phase_aggregator
from loyalty.protocols.uniswap_v3.contract import POOL_CALLS, decode_pool
from loyalty.protocols.view_call import DECIMALS
from loyalty.state import followed_contracts
from loyalty.state.engine import State

Detail = Mapping[str, str | int]


class Wanted(NamedTuple):
    """A source of `token` that is read on its chain, from the first block at or after `since` (unix seconds)."""

    token: Token
    kind: str
    address: Address
    since: int

    @property
    def place(self) -> str:
        """Where the program file speaks of it."""
        word = "chainlink" if self.kind == chainlink.KIND else "pool"
        return f"tokens[{self.token.symbol}].price.{word} {checksum(self.address)}"


class Found(NamedTuple):
    """A contract as it answered: what is stored of it, and the block from which it is followed."""

    chain_id: int
    kind: str
    address: Address
    start_block: int
    detail: Detail


def wanted(program: Program, chain_id: int) -> list[Wanted]:
    """Every source on the chain, of each token that takes it."""
    listed: list[Wanted] = []
    for each in program.tokens:
        token = each.token
        oldest = program.rules.start - token.max_age
        for source in each.sources if token.chain == chain_id else ():
            if isinstance(source, ChainlinkPrice):
                listed.append(Wanted(token, chainlink.KIND, source.proxy, oldest - source.heartbeat))
            elif isinstance(source, PoolPrice):
                listed.append(Wanted(token, pool_price.KIND, source.pool, oldest - source.window))
    return listed


def unknown(state: State, program: Program, chain_id: int) -> list[Wanted]:
    """Those that the database does not follow yet: their contracts are to be asked."""
    with state.read() as connection:
        known = {(each.kind, each.address) for each in followed_contracts.on_chain(connection, chain_id)}
    return [each for each in wanted(program, chain_id) if (each.kind, each.address) not in known]


async def ask(chain: Chain, program: Program, sources: Sequence[Wanted]) -> list[Found]:
    """What their contracts say at the head, each contract once; Invalid, with the place, where one is no such thing."""
    found: dict[tuple[str, Address], Found] = {}
    for each in sources:
        _check_recording(chain, each)
        detail = await (_feed(chain, each) if each.kind == chainlink.KIND else _pool(chain, program, each))
        block = await _first_block(chain, each.since)
        known = found.get((each.kind, each.address))
        block = block if known is None else min(block, known.start_block)
        found[each.kind, each.address] = Found(chain.id, each.kind, each.address, block, detail)
    return list(found.values())


def register(connection: Connection, program: Program, found: Sequence[Found]) -> None:
    """Follow them from now on. Raises Invalid where tokens would be priced in a circle."""
    known = {chain.id for chain in program.chains}
    for each in found:
        if each.chain_id in known and not followed_contracts.find(connection, each.chain_id, each.kind, each.address):
            detail = json.dumps(each.detail, sort_keys=True)
            followed_contracts.ensure(
                connection, each.chain_id, each.kind, each.address, each.start_block, detail=detail
            )
    quotes(connection, program)


def quotes(connection: Connection, program: Program) -> dict[tuple[str, Address], str]:
    """By token and pool the symbol of the token that the pool is quoted in, of the pools that are followed.

    Invalid, naming the pool, where it does not hold the token and another one with a price, or quotes in a circle.
    """
    named: dict[tuple[str, Address], str] = {}
    for chain in program.chains:
        for each in wanted(program, chain.id):
            contract = followed_contracts.find(connection, chain.id, each.kind, each.address)
            if contract is not None and each.kind == pool_price.KIND:
                named[each.token.symbol, each.address] = _quote(program, each, json.loads(contract.detail or "{}"))
    _check_circles(named)
    return named


def _check_recording(chain: Chain, source: Wanted) -> None:
    recording = chain.recording_facts()
    if recording is not None and not recording.holds_contracts:
        raise Invalid(
            f"{source.place}: the recording of {chain.name} holds nothing of price sources on the chain: record it "
            f"again with this file, or give {chain.name} an http(s) endpoint"
        )


async def _feed(chain: Chain, source: Wanted) -> Detail:
    """Its decimals; also its phases are asked, so that a recording that overhears this holds them."""
    try:
        decimals = await chainlink.ask(chain, FEED_DECIMALS, source.address)
        await chainlink.ask(chain, LATEST_ROUND_DATA, source.address)
        for phase in range(1, await chainlink.ask(chain, PHASE_ID, source.address) + 1):
            await chainlink.ask(chain, phase_aggregator(phase), source.address)
    except Invalid as refused:
        raise Invalid(
            f"{source.place}: the contract at this address on {chain.name} is no Chainlink proxy ({refused})"
        ) from None
    return {"decimals": decimals}


async def _pool(chain: Chain, program: Program, source: Wanted) -> Detail:
    try:
        answers = [await chain.call(source.address, call.payload) for call in POOL_CALLS]
        contract = decode_pool(answers, source.address)
    except Invalid as refused:
        raise Invalid(
            f"{source.place}: the contract at this address on {chain.name} is no Uniswap V3 pool ({refused})"
        ) from None
    detail = {"token0": contract.token0, "token1": contract.token1}
    quote = program.rules.tokens[_quote(program, source, detail)]
    for token in (source.token, quote):
        if token.address is None:
            continue
        decimals = DECIMALS.decode(await chain.call(token.address, DECIMALS.payload), token.address)
        if decimals != token.decimals:
            raise Invalid(
                f"tokens[{token.symbol}].decimals is {token.decimals}, but the contract {checksum(token.address)} has "
                f"{decimals}: correct the program file"
            )
    return detail


def _quote(program: Program, source: Wanted, detail: Detail) -> str:
    """The symbol of the pool's other token, which has a price."""
    pair = [str(detail["token0"]), str(detail["token1"])]
    if source.token.address not in pair:
        held = " and ".join(checksum(Address(address)) for address in pair)
        raise Invalid(f"{source.place}: the pool holds {held}, not {source.token.symbol}: correct the program file")
    other = next(address for address in pair if address != source.token.address)
    for each in program.tokens:
        if (each.token.chain, each.token.address) == (source.token.chain, other) and each.prices:
            return each.token.symbol
    raise Invalid(
        f"{source.place}: the price of the pool's other token {checksum(Address(other))} is needed: name it in "
        "[[tokens]] with its chain, its address and a price"
    )


def _check_circles(named: Mapping[tuple[str, Address], str]) -> None:
    """No token's price may rest on itself, through however many pools."""
    rests_on: dict[str, set[str]] = {}
    for (symbol, _), quote in named.items():
        rests_on.setdefault(symbol, set()).add(quote)
    for symbol, pool in named:
        reached, left = set[str](), [symbol]
        while left:
            for quote in rests_on.get(left.pop(), set()) - reached:
                reached.add(quote)
                left.append(quote)
        if symbol in reached:
            raise Invalid(
                f"tokens[{symbol}].price.pool {checksum(pool)}: the price of {symbol} would rest on itself, through "
                f"{', '.join(sorted(reached - {symbol})) or symbol}: give one of them another source"
            )


async def _first_block(chain: Chain, since: int) -> int:
    """The first block at or after a time; the head where the chain has not come so far."""
    found = await chain.first_block_at(since)
    return (await chain.head()).number if found is None else found.number
