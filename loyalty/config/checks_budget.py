"""Checks of what is divided and how: rewards, tiers, and the length of the program."""

from collections.abc import Sequence
from itertools import pairwise

from loyalty.config.checks import check_exactly_one, check_reference, check_unique, token_symbols
from loyalty.config.entries import Document, RewardTable, TierTable, UsdShareTable
from loyalty.config.faults import Place, known, shown
from loyalty.config.readings import LAST_TIME
from loyalty.config.tables import rows
from loyalty.core.amounts import parse_units
from loyalty.core.errors import Invalid
from loyalty.core.times import time_text

_LARGEST_UNITS = 2**256 - 1
"""What a token contract can count."""


def check_program(document: Document) -> None:
    program = document.program
    if not known(program) or not known(program.start, program.epochs, program.epoch):
        return
    if program.start + program.epochs * program.epoch >= LAST_TIME:
        read = f"{program.epochs} epochs from {time_text(program.start)}"
        program.place.at("epochs").fault(read, "an end before the year 10000")


def check_rewards(document: Document) -> None:
    rewards = rows(document.rewards)
    check_unique((reward.place.at("token"), reward.token) for reward in rewards)
    for reward in rewards:
        check_reference(reward.place.at("token"), reward.token, token_symbols(document))
        check_exactly_one(reward, ("total", "per_epoch", "usd_share"))
        _check_amounts(document, reward)
        if reward.usd_share is not None and known(reward.usd_share):
            _check_share(document, reward, reward.usd_share)
    _check_digest_names(document, rewards)


def _check_digest_names(document: Document, rewards: Sequence[RewardTable]) -> None:
    """A digest names a reward token by its address alone or, without one, its symbol: no two may share that name."""
    names: dict[str, str] = {
        token.symbol: token.address or token.symbol
        for token in rows(document.tokens)
        if known(token.symbol) and (token.address is None or known(token.address))
    }
    first: dict[str, str] = {}
    for reward in rewards:
        if not known(reward.token) or reward.token not in names:
            continue
        other = first.setdefault(names[reward.token], reward.token)
        if other != reward.token:
            place = reward.place.at("token")
            place.fault(shown(reward.token), f"another address than {other} has: a digest names both alike")


def check_tiers(document: Document) -> None:
    tiers = rows(document.tiers or ())
    check_unique((tier.place.at("name"), tier_name(tier, number)) for number, tier in enumerate(tiers, 1))
    for before, tier in pairwise(tiers):
        if known(before.from_epoch, tier.from_epoch) and tier.from_epoch <= before.from_epoch:
            place = tier.place.at("from_epoch")
            place.fault(str(tier.from_epoch), f"more than the {before.from_epoch} of the tier before: tiers ascend")


def tier_name(tier: TierTable, number: int) -> str:
    """A tier's name; by default "Tier n", n from 1."""
    return f"Tier {number}" if tier.name is None else tier.name


def _check_amounts(document: Document, reward: RewardTable) -> None:
    decimals = next((token.decimals for token in rows(document.tokens) if token.symbol == reward.token), None)
    known_decimals = decimals if decimals is not None and known(decimals) else None
    if reward.total is not None and known(reward.total):
        _check_amount(reward.place.at("total"), reward.total, known_decimals)
        if not reward.total.strip("0."):
            reward.place.at("total").fault(shown(reward.total), "an amount above 0")
    if reward.per_epoch is None or not known(reward.per_epoch):
        return
    for number, amount in enumerate(reward.per_epoch):
        _check_amount(reward.place.at("per_epoch", number), amount, known_decimals)
    _check_length(document, reward.place.at("per_epoch"), len(reward.per_epoch))


def _check_amount(place: Place, amount: str, decimals: int | None) -> None:
    if decimals is None:
        return
    try:
        units = parse_units(amount, decimals)
    except Invalid:
        place.fault(shown(amount), f"at most {decimals} decimals, which is what the token has")
        return
    if units > _LARGEST_UNITS:
        place.fault(shown(amount), "an amount that a token contract can count (below 2**256 of the smallest unit)")


def _check_length(document: Document, place: Place, length: int) -> None:
    program = document.program
    if known(program) and known(program.epochs) and length != program.epochs:
        place.fault(f"a list of {length}", f"one amount an epoch: program.epochs is {program.epochs}")


def _check_share(document: Document, reward: RewardTable, share: UsdShareTable) -> None:
    """A share is of another reward that has a budget of its own: so there are no cycles.

    Nothing is said where another reward's token is unknown: that may be the very one.
    """
    place = share.place.at("of")
    others = [other for other in rows(document.rewards) if other is not reward]
    if not known(share.of) or not known(*(other.token for other in others)):
        return
    symbols = token_symbols(document)
    if symbols is None or any(other.token not in symbols for other in others):
        return
    budgets = [other.token for other in others if other.usd_share is None]
    if share.of not in budgets:
        what = "another reward with total or per_epoch"
        place.fault(shown(share.of), f"{what}: {' or '.join(budgets)}" if budgets else f"{what}; there is none")
