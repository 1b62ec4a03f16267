"""A small program in a real database: four epochs of a day, one pool at tick 0, three providers and the treasury.

    epoch 1   alice holds $1,000 by token 1, bob $3,000 in the pool itself; the treasury's position is out of range
    epoch 2   at noon alice's token goes to carol
    epoch 3   as it was
    epoch 4   is half over: everything before is final and settled

A dollar is one unit of either token. A full range is worth a hair less than its round number, so every cell is a
millionth below it.
"""

from fractions import Fraction
from pathlib import Path

from loyalty.core.address import ZERO_ADDRESS, Address
from loyalty.core.checkpoint import Header
from loyalty.core.facts import LiquidityChange, PositionToken, PositionTransfer, PricePoint, Swap
from loyalty.core.times import parse_time
from loyalty.jobs.accrue import Accruer
from loyalty.jobs.settle import settle
from loyalty.program.rules import Exclusion, PoolKey, PoolRule, Reward, Rules, Tier, Token, UsdShare
from loyalty.program.rules_text import rules_json
from loyalty.state import (
    State,
    StateTransaction,
    blocks,
    chains,
    cursors,
    facts,
    job_runs,
    open_state,
    pools,
    prices,
    program_config,
    tokens,
)
from loyalty.state.migrate import upgrade
from loyalty.state.program_config import ConfigVersion

HOUR, DAY = 3_600, 86_400
START = parse_time("2026-04-20T00:00:00Z")
NOW = START + 3 * DAY + 12 * HOUR
HEAD = 2 + 3 * 24 + 12
CHAIN = 1
ALICE, BOB, CAROL, TREASURY, STRANGER = (Address("0x" + letter * 40) for letter in "abcde")
MANAGER, POOL = Address("0x" + "1" * 40), Address("0x" + "2" * 40)
TOKEN = PositionToken(MANAGER, 1)
FULL = (-887_220, 887_220)
ABOVE = (60, 120)
ARB = 10**18

RULES = Rules(
    name="Small <program>",
    start=START,
    epochs=4,
    epoch_seconds=DAY,
    count="full",
    minimum_usd_micro=10 * 10**6,
    on_lapse="reset",
    settle_after=HOUR,
    tiers=(Tier("Tier 1", 1, Fraction(1), 0), Tier("Tier 2", 2, Fraction(2), 0)),
    rewards=(Reward("ARB", 400 * ARB, None, None), Reward("USDA", None, None, UsdShare("ARB", Fraction("0.25")))),
    tokens={
        "USDA": Token("USDA", CHAIN, Address("0x" + "3" * 40), 6, 8, 7200),
        "USDB": Token("USDB", CHAIN, Address("0x" + "4" * 40), 6, 8, 7200),
        "ARB": Token("ARB", 0, None, 18, 8, 7200),
    },
    pools=(PoolRule(PoolKey(CHAIN, POOL), ("USDA", "USDB"), Fraction(1), None, None),),
    exclusions=(Exclusion(TREASURY, "the treasury", None, None),),
)


def time_of(block: int) -> int:
    """A block an hour: block 1 is an hour before the start, block 2 at it."""
    return START + (block - 2) * HOUR


def header(block: int) -> Header:
    return Header(block, f"0x{block:064x}", f"0x{block - 1:064x}", time_of(block))


def bind(state: State) -> int:
    """Program, chain, tokens, pool and prices; returns the pool's id."""
    with StateTransaction(state) as connection:
        chains.ensure(connection, CHAIN, "small")
        chains.set_position_managers(connection, CHAIN, [MANAGER])
        ids = {symbol: tokens.ensure(connection, token) for symbol, token in RULES.tokens.items()}
        pool_id = pools.ensure(connection, CHAIN, POOL, "uniswap_v3", ids["USDA"], ids["USDB"], 1, 500, 60)
        version = ConfigVersion(1, RULES.name, START, DAY, (CHAIN,), rules_json(RULES), 1, START)
        program_config.add(connection, version)
        for symbol, price in (("USDA", 10**8), ("USDB", 10**8), ("ARB", 5 * 10**7)):
            prices.insert(connection, ids[symbol], [PricePoint(0, price, "fixed", START)])
    return pool_id


def index(state: State, pool_id: int) -> None:
    """The chain up to HEAD, all of it final."""
    noon = 2 + 24 + 12
    with StateTransaction(state) as connection:
        swaps = [Swap(POOL, 1, 0, time_of(1), 2**96, 0, None, 0, 0, bytes(32))]
        changes = [
            _change(2, 0, MANAGER, FULL, 500 * 10**6, TOKEN),
            _change(2, 2, BOB, FULL, 1_500 * 10**6),
            _change(2, 3, TREASURY, ABOVE, 10**12),
        ]
        transfers = [_transfer(2, 1, ZERO_ADDRESS, ALICE), _transfer(noon, 0, ALICE, CAROL)]
        facts.insert(connection, CHAIN, {POOL: pool_id}, swaps, changes, transfers)
        counts = {1: 1, 2: 4, noon: 1}
        blocks.add(connection, CHAIN, [(header(block), counts.get(block, 0)) for block in range(1, HEAD + 1)])
        for cursor in cursors.all_on(connection, CHAIN):
            cursors.advance(connection, cursor, HEAD + 1)
        chains.set_tips(connection, CHAIN, header(HEAD), header(HEAD))


def _change(
    block: int, log: int, owner: Address, ticks: tuple[int, int], delta: int, token: PositionToken | None = None
) -> LiquidityChange:
    return LiquidityChange(POOL, block, log, time_of(block), owner, *ticks, delta, 0, 0, token, bytes(32))


def _transfer(block: int, log: int, sender: Address, recipient: Address) -> PositionTransfer:
    return PositionTransfer(POOL, block, log, time_of(block), TOKEN, sender, recipient, bytes(32))


def compute(state: State) -> None:
    """The jobs themselves: pool-days, then epochs; and a worker that has just said so."""
    Accruer(state, RULES, frozenset({MANAGER})).run()
    settle(state, NOW)
    with StateTransaction(state) as connection:
        job_runs.started(connection, "accrue", NOW - 1)
        job_runs.finished(connection, "accrue", NOW)


def build(path: Path) -> Path:
    """The whole program in a new file."""
    with open_state(path) as state:
        upgrade(state)
        index(state, bind(state))
        compute(state)
    return path
