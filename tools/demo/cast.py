"""Who plays: how many of each kind."""

from collections.abc import Callable

from tools.demo import characters, providers, traders
from tools.demo.processes import Process
from tools.demo.stage import Stage
from tools.evm.pool import Pool

KINDS: tuple[tuple[str, int, Callable[[Stage, str], Process]], ...] = (
    ("holder", 62, providers.holder),
    ("ranger", 40, providers.ranger),
    ("visitor", 24, providers.visitor),
    ("giver", 12, providers.giver),
    ("dust", 10, providers.dust),
    ("bundler", 7, providers.bundler),
)
_DIRECT_OWNERS = 5


def everyone(stage: Stage, worthless: Pool) -> list[Process]:
    """All processes, in the order in which they act where they meet in one block."""
    people = [life(stage, f"{kind}/{number}") for kind, count, life in KINDS for number in range(count)]
    direct = [characters.direct_owner(stage, number) for number in range(_DIRECT_OWNERS)]
    alone = [characters.treasury, characters.whale, characters.depositor, characters.flash_provider]
    market = [traders.trading(stage, trade) for trade in traders.TRADES]
    return [*(life(stage) for life in alone), *people, *direct, characters.forger(stage, worthless), *market]
