"""Random histories of two tracked pools, a foreign one and two managers, against the plainest ledger there is."""

from collections import Counter
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.core.address import Address
from loyalty.core.facts import PoolPrice
from loyalty.core.spans import Span

TRACKED = (Address("0x" + "99" * 20), Address("0x" + "98" * 20))
FOREIGN = Address("0x" + "66" * 20)
POOLS = (*TRACKED, FOREIGN)
MANAGERS = (Address("0x" + "77" * 20), Address("0x" + "78" * 20))
PEOPLE = tuple(Address("0x" + pair * 20) for pair in ("a1", "b0", "ca"))

KINDS = (
    *("block", "block", "swap", "swap", "mint", "mint", "increase", "decrease"),
    *("empty", "transfer", "burn", "collect", "direct", "leave", "forge"),
)
CHOICES, LOWERS, WIDTHS, AMOUNTS = st.integers(0, 11), st.integers(-4, 3), st.integers(1, 4), st.integers(1, 9)
STEPS = st.lists(st.tuples(st.sampled_from(KINDS), CHOICES, LOWERS, WIDTHS, AMOUNTS), max_size=45)


def play(world, steps):
    """A history that the contracts would allow: numbers only choose among what is possible."""
    world.at(1)
    for pool in POOLS:
        world.initialize(pool, 0)
    for name, choice, lower, width, amount in steps:
        _step(world, name, choice, (lower, lower + width), amount)
    return world


def _step(world, name, choice, place, amount):
    pool, manager, person = POOLS[choice % 3], MANAGERS[choice % 2], PEOPLE[choice % 3]
    alive = [token for token, owner in world.owner.items() if owner in PEOPLE]
    token = alive[choice % len(alive)] if alive else None
    if name == "block":
        world.at(world.block + amount, world.time + amount // 4)
    elif name == "swap":
        world.swap(pool, place[0])
    elif name == "direct":
        world.pool_mint(pool, person, *place, amount)
    elif name == "leave":
        _leave(world, choice)
    elif name == "mint":
        world.mint(manager, person, pool, *place, amount)
    elif name == "forge":
        world.pool_mint(TRACKED[choice % 2], manager, *place, amount)
        world.mint(manager, person, FOREIGN, *place, amount)
    elif token is not None:
        _token_step(world, name, token, person, amount)
    if choice > 8:
        world.transaction()


def _leave(world, choice):
    """A direct owner takes out a part of a range."""
    direct = [(key, held) for key, held in world.ranges.items() if key[1] in PEOPLE and held]
    if direct:
        key, held = direct[choice % len(direct)]
        world.pool_burn(*key, max(1, held // 2))


def _token_step(world, name, token, person, amount):
    held = world.liquidity[token]
    if name == "increase":
        world.increase(token, amount)
    elif name == "decrease" and held:
        world.decrease(token, min(held, amount))
    elif name == "empty" and held:
        world.decrease(token, held)
    elif name == "transfer":
        world.transfer(token, person)
    elif name == "burn" and not held:
        world.burn(token)
    elif name == "collect":
        world.collect(token)


def said(ledger):
    return [
        (ledger.positions(pool), ledger.tokens(pool), ledger.price(pool), ledger.in_range_liquidity(pool))
        for pool in TRACKED
    ]


def tokens_beyond_ranges(ledger, pool):
    on_tokens = Counter()
    for key, held in ledger.positions(pool).items():
        if key.token is not None:
            on_tokens[key.token.manager, key.lower, key.upper] += held
    return on_tokens - Counter(ledger.ranges(pool))


@settings(max_examples=120, deadline=None)
@given(steps=STEPS)
def test_positions_and_liquidity_in_range_equal_the_plain_sums(new_world, steps):
    world = play(new_world(*MANAGERS), steps)
    ledger = world.ledger()
    facts, _ = world.read(ledger, *TRACKED)
    for pool in TRACKED:
        assert ledger.positions(pool) == world.positions(pool)
        assert ledger.in_range_liquidity(pool) == world.in_range(pool)
        assert ledger.ranges(pool) == {key[1:]: held for key, held in world.ranges.items() if key[0] == pool and held}
        assert not tokens_beyond_ranges(ledger, pool)
        assert ledger.price(pool).tick == world.tick[pool]
        held = {token for token, (at, _, _) in world.place.items() if at == pool and world.owner[token] in PEOPLE}
        assert set(ledger.tokens(pool)) == held
    assert all(fact.pool in TRACKED for fact in (*facts.swaps, *facts.liquidity_changes, *facts.transfers))


@settings(max_examples=120, deadline=None)
@given(steps=STEPS, cuts=st.sets(st.integers(1, 60), max_size=4))
def test_a_span_cut_anywhere_gives_the_same_facts_and_the_same_ledger(new_world, steps, cuts):
    world = play(new_world(*MANAGERS), steps)
    whole_ledger, cut_ledger = world.ledger(), world.ledger()
    whole, _ = world.read(whole_ledger, *TRACKED)
    bounds = [0, *sorted(cut for cut in cuts if cut <= world.block), world.block + 1]
    parts = []
    for start, end in pairwise(bounds):
        cut_ledger = cut_ledger.copy()
        parts.append(world.read(cut_ledger, *TRACKED, span=Span(start, end))[0])
    for kind in range(3):
        assert [fact for part in parts for fact in part[kind]] == whole[kind]
    assert said(cut_ledger) == said(whole_ledger)


@settings(max_examples=120, deadline=None)
@given(steps=STEPS)
def test_a_ledger_built_from_stored_facts_says_the_same(new_world, steps):
    world = play(new_world(*MANAGERS), steps)
    ledger, rebuilt = world.ledger(), world.ledger()
    facts, _ = world.read(ledger, *TRACKED)
    balance = Counter()
    moves = sorted([*facts.liquidity_changes, *facts.transfers], key=lambda fact: fact[1:3])
    for fact in moves:
        for change in rebuilt.apply(fact):
            balance[fact.pool, change.position] += change.liquidity_delta
            assert change.time == fact.time
            assert balance[fact.pool, change.position] >= 0
    for swap in facts.swaps:
        rebuilt.set_price(swap.pool, PoolPrice(swap.time, swap.sqrt_price_x96, swap.tick))
    assert said(rebuilt) == said(ledger)
    for pool in TRACKED:
        assert {key: held for (at, key), held in balance.items() if at == pool and held} == ledger.positions(pool)
