"""Who plays on the second chain: liquidity providers of the pool, traders, stakers of the vault, and its keeper."""

from random import Random

from loyalty.core.address import Address
from loyalty.core.times import DAY_SECONDS, HOUR_SECONDS
from tools.demo.calendar import STORY_END, WEEK_SECONDS, week
from tools.demo.processes import Process
from tools.demo.second import contracts as on
from tools.demo.second.stage import SecondStage
from tools.evm.functions import Function
from tools.evm.node import Transaction

ON_BOTH = 12
"""So many of each kind are providers of the first chain too."""
LENDERS, STAKERS, TRADERS = 46, 38, 4
ROLL_DAY = 3 * DAY_SECONDS + 12 * HOUR_SECONDS
"""After a week's start: the vault's rounds are not the program's weeks."""


def everyone(stage: SecondStage) -> list[Process]:
    """All processes, in the order in which they act where they meet in one block."""
    return [
        *(lender(stage, _name("holder", number)) for number in range(LENDERS)),
        *(staker(stage, _name("visitor", number)) for number in range(STAKERS)),
        *(trader(stage, f"trader/{number}") for number in range(TRADERS)),
        keeper(stage),
    ]


def _name(kind: str, number: int) -> str:
    """The first of each kind have the names, and so the addresses, of the first chain's."""
    return f"{kind}/{number}" if number < ON_BOTH else f"second/{kind}/{number}"


def _call(sender: Address, to: Address, call: Function, *values: object) -> Transaction:
    return Transaction(sender, to, call(*values))


def _worth(random: Random, median: int) -> int:
    return int(min(max(random.lognormvariate(0, 1.1) * median, 80), 300_000))


def _arrival(random: Random) -> int:
    """Two in five are there before the program starts."""
    if random.random() < 0.4:
        return week(random.uniform(-0.8, 0.98))
    return week(min(1 + random.expovariate(1 / 7), 28.5))


def lender(stage: SecondStage, name: str) -> Process:
    """Brings both coins, or one; most stake in the gauge; some take part of it out, some all."""
    random, me, at = stage.random(name), stage.account(name), stage.deployed
    usd, leaves = _worth(random, 14_000), week(random.uniform(8, 42))
    yield _arrival(random)
    yield [_call(me, at.pool, on.ADD, _coins(usd, random), 0, me)]
    if random.random() < 0.75:
        yield stage.time + int(random.uniform(0, 2) * DAY_SECONDS)
        yield [_call(me, at.gauge, on.DEPOSIT, stage.ask(at.pool, on.BALANCE, me) * random.randint(60, 100) // 100, me)]
    while stage.time < min(leaves, STORY_END):
        yield stage.time + int(random.uniform(1.5, 6) * WEEK_SECONDS)
        staked = stage.ask(at.gauge, on.BALANCE, me)
        if random.random() < 0.5:
            yield [_call(me, at.pool, on.ADD, _coins(usd // 3, random), 0, me)]
        elif staked and random.random() < 0.6:
            part = staked // random.choice((2, 3, 5))
            yield [
                _call(me, at.gauge, on.WITHDRAW, part),
                _call(me, at.pool, on.REMOVE_ONE, part, random.randint(0, 1), 0, me),
            ]
        elif staked and random.random() < 0.3:
            yield [_call(me, at.gauge, on.TRANSFER, stage.accounts[random.randrange(LENDERS)], staked // 4)]
    staked, held = stage.ask(at.gauge, on.BALANCE, me), stage.ask(at.pool, on.BALANCE, me)
    yield [
        *([_call(me, at.gauge, on.WITHDRAW, staked)] if staked else []),
        *([_call(me, at.pool, on.REMOVE, staked + held, [0, 0], me, False)] if staked + held else []),
    ]


def _coins(usd: int, random: Random) -> list[int]:
    """So many dollars, in both coins or in one."""
    first = random.choice((0, usd // 2, usd // 2, usd // 2, usd))
    return [first * 10**18, (usd - first) * 10**6]


def trader(stage: SecondStage, name: str) -> Process:
    """Exchanges one dollar for the other, some times a week."""
    random, me, at = stage.random(name), stage.account(name), stage.deployed
    yield week(-0.5)
    while True:
        yield stage.time + int(random.expovariate(1 / 30) * HOUR_SECONDS)
        sold = random.randint(0, 1)
        units = random.randint(50, 9_000) * 10 ** (18, 6)[sold]
        if stage.ask(at.coins[0], on.BALANCE, at.pool) > 10**22:
            yield [_call(me, at.pool, on.EXCHANGE, sold, 1 - sold, units, 0, me)]


def staker(stage: SecondStage, name: str) -> Process:
    """Stakes, sometimes takes some back before the roll, redeems or not, unstakes a part or all."""
    random, me, at = stage.random(name), stage.account(name), stage.deployed
    usd, leaves = _worth(random, 9_000), week(random.uniform(6, 44))
    yield _arrival(random)
    yield [_call(me, at.vault, on.STAKE, usd * 10**6, me)]
    if random.random() < 0.2:
        yield [_call(me, at.vault, on.INSTANT_UNSTAKE, usd * 10**6 // 4)]
    while stage.time < min(leaves, STORY_END):
        yield stage.time + int(random.uniform(1.2, 5) * WEEK_SECONDS)
        shares = stage.ask(at.vault, on.SHARES, me)
        if random.random() < 0.45:
            yield [_call(me, at.vault, on.STAKE, usd * 10**6 // 2, me)]
        elif shares and random.random() < 0.5:
            yield [_call(me, at.vault, on.REDEEM)]
        elif shares and random.random() < 0.5:
            yield [_call(me, at.vault, on.UNSTAKE, shares // random.choice((2, 4)))]
    if shares := stage.ask(at.vault, on.SHARES, me):
        yield [_call(me, at.vault, on.UNSTAKE, shares)]


def keeper(stage: SecondStage) -> Process:
    """Rolls the vault's round each week, with a yield, in one week a loss."""
    random, at = stage.random("keeper"), stage.deployed
    rolls = [week(number) + ROLL_DAY for number in range(32)]
    for number, roll in enumerate(rolls):
        yield roll
        if stage.time > STORY_END:
            return
        invested = stage.ask(at.asset, on.BALANCE, at.vault) - stage.ask(at.vault, on.PENDING)
        if number == 9:
            yield [_call(on.KEEPER, at.vault, on.ROLL, invested // 150, False)]
        else:
            yield [_call(on.KEEPER, at.vault, on.ROLL, invested * random.randint(8, 30) // 10_000, True)]
