"""The kinds of providers and their lives. Every one is a process; chance is each one's own."""

from random import Random

from loyalty.core.times import DAY_SECONDS
from tools.demo.calendar import STORY_END, WEEK_SECONDS, week
from tools.demo.liquidity import Range, around, full_range
from tools.demo.positions import Deed, Hands
from tools.demo.processes import Process
from tools.demo.stage import Stage


def _hands(stage: Stage, name: str, random: Random) -> Hands:
    venue = stage.venues["WETH/USDC" if random.random() < 0.62 else "LOYAL/WETH"]
    return Hands(stage, venue, stage.account(name))


def _arrival(random: Random) -> int:
    """A third is there before the program starts; the others come more and more rarely."""
    if random.random() < 0.36:
        return week(random.uniform(-0.9, 0.98))
    return week(min(1 + random.expovariate(1 / 6.5), 28.5))


def _worth(random: Random, median: float = 11_000) -> float:
    return min(max(random.lognormvariate(0, 1.15) * median, 60), 380_000)


def _wide(hands: Hands, random: Random) -> Range:
    if random.random() < 0.3:
        return full_range(hands.venue)
    tick = hands.stage.slot0(hands.venue).tick
    return around(hands.venue, tick, random.randint(3_000, 9_000), random.randint(2_500, 8_000))


def holder(stage: Stage, name: str) -> Process:
    """Comes with a wide range and stays; grows now and then, collects fees, sometimes leaves late."""
    random = stage.random(name)
    hands, usd = _hands(stage, name, random), _worth(random)
    leaves = week(random.uniform(14, 40))
    yield _arrival(random)
    span = _wide(hands, random)
    token_id = yield from hands.open(span, usd)
    while True:
        yield stage.time + int(random.uniform(1.2, 5) * WEEK_SECONDS)
        if stage.time > min(leaves, STORY_END):
            break
        if random.random() < 0.55:
            yield from hands.grow(token_id, span, usd * random.uniform(0.1, 0.6))
        elif random.random() < 0.25:
            yield from hands.shrink(token_id, random.choice((10, 25, 50)))
        else:
            yield from hands.poke(token_id)
    yield from hands.close(token_id, random.random() < 0.7)


def ranger(stage: Stage, name: str) -> Process:
    """Keeps a narrow range around the price: looks every few days, and moves when the price has left it."""
    random = stage.random(name)
    hands, usd = _hands(stage, name, random), _worth(random)
    width, patience = random.randint(350, 1_600), random.uniform(1, 4) * DAY_SECONDS
    leaves = week(random.uniform(10, 45))
    yield _arrival(random)
    span = around(hands.venue, stage.slot0(hands.venue).tick, width, width)
    token_id = yield from hands.open(span, usd)
    while stage.time < leaves:
        yield stage.time + int(patience * random.uniform(0.7, 1.4))
        tick = stage.slot0(hands.venue).tick
        if not span.lower <= tick < span.upper:
            yield from hands.close(token_id, random.random() < 0.8)
            span = around(hands.venue, stage.slot0(hands.venue).tick, width, width)
            token_id = yield from hands.open(span, usd)
    yield from hands.close(token_id, burn=True)


def visitor(stage: Stage, name: str) -> Process:
    """Comes for some weeks, leaves, and often comes back."""
    random = stage.random(name)
    hands = _hands(stage, name, random)
    yield _arrival(random)
    while stage.time < week(29):
        token_id = yield from hands.open(_wide(hands, random), _worth(random))
        yield stage.time + int(random.uniform(0.4, 5) * WEEK_SECONDS)
        yield from hands.close(token_id, random.random() < 0.5)
        if random.random() < 0.3:
            return
        yield stage.time + int(random.uniform(0.6, 4) * WEEK_SECONDS)


def bundler(stage: Stage, name: str) -> Process:
    """Opens a ladder of ranges in one transaction and takes it down rung by rung."""
    random = stage.random(name)
    hands, usd = _hands(stage, name, random), _worth(random)
    yield _arrival(random)
    tick = stage.slot0(hands.venue).tick
    ladder = [around(hands.venue, tick, 700 * rung, 600 * rung) for rung in range(1, random.randint(3, 6))]
    token_ids = yield from hands.open_all([(span, usd / len(ladder)) for span in ladder])
    for token_id in token_ids[: random.randint(1, 3)]:
        yield stage.time + int(random.uniform(3, 9) * WEEK_SECONDS)
        yield from hands.close(token_id, burn=True)


def dust(stage: Stage, name: str) -> Process:
    """Holds less than the program's minimum."""
    random = stage.random(name)
    hands = _hands(stage, name, random)
    yield _arrival(random)
    token_id = yield from hands.open(_wide(hands, random), random.uniform(1.5, 7.5))
    if random.random() < 0.4:
        yield stage.time + int(random.uniform(2, 9) * WEEK_SECONDS)
        yield from hands.close(token_id, burn=True)


def giver(stage: Stage, name: str) -> Process:
    """Gives the position to a friend, who keeps it, sometimes gives it back, or takes the money out."""
    random = stage.random(name)
    hands, usd = _hands(stage, name, random), _worth(random)
    friend = Hands(stage, hands.venue, stage.account(f"{name}/friend"))
    yield _arrival(random)
    span = _wide(hands, random)
    token_id = yield from hands.open(span, usd)
    yield stage.time + int(random.uniform(0.5, 6) * WEEK_SECONDS)
    yield from hands.give(token_id, friend.address)
    yield stage.time + int(random.uniform(0.5, 6) * WEEK_SECONDS)
    yield from _after_gift(hands, friend, token_id, span, random)


def _after_gift(hands: Hands, friend: Hands, token_id: int, span: Range, random: Random) -> Deed[None]:
    fate = random.random()
    if fate < 0.35:
        yield from friend.give(token_id, hands.address)
    elif fate < 0.6:
        yield from hands.grow(token_id, span, 500)
    elif fate < 0.85:
        yield from friend.close(token_id, burn=True)
