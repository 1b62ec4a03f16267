"""The ledgers of vaults against contracts on a real node: what they fold is what the contracts' own views say."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from random import Random

import pytest

from loyalty.chain.chain import open_chain
from loyalty.core.facts import AssetExchange
from loyalty.core.queries import Conversation, Result
from loyalty.core.spans import Span
from loyalty.protocols.erc20 import ShareLedger
from loyalty.protocols.vaults.erc4626 import adapter as erc4626
from loyalty.protocols.vaults.erc4626.price import GridAnswer, deviations
from loyalty.protocols.vaults.holders import shares_at
from loyalty.protocols.vaults.stream_vault import adapter as stream_vault
from loyalty.protocols.vaults.stream_vault.bridged import join_chains
from loyalty.protocols.vaults.stream_vault.ledger import RoundStart, VaultFact, VaultLedger
from tests.integration.scene import GENESIS_TIME
from tests.integration.two_chains import AWAY_CHAIN_ID, two_chains
from tests.integration.vault_calls import DECIMALS
from tests.integration.vault_checks import check_ledger
from tests.integration.vault_play import RandomPlay, yield_step
from tests.integration.vault_views import AwayShares, RoundVault, VaultMoment, Yield
from tools.evm.node import CHAIN_ID, Node


@pytest.fixture
def node() -> Iterator[Node]:
    with Node(GENESIS_TIME) as node:
        yield node


def read(node: Node, conversation: Conversation[Result], end: int, chain_id: int = CHAIN_ID) -> Result:
    """Drives a conversation over the node's real logs of the blocks below `end`."""

    async def over_http() -> Result:
        chain = open_chain("play", chain_id, [node.url])
        try:
            return (await chain.read(conversation, end)).result
        finally:
            await chain.close()

    return asyncio.run(over_http())


def check_start(start: RoundStart, noted: VaultMoment) -> None:
    """The vault's views in the middle of the block, right after the log."""
    assert (start.block, start.time, start.round) == (noted.block, noted.time, noted.round)
    assert (start.price_per_share, start.shares) == (noted.price_per_share, dict(sorted(noted.shares.items())))
    assert start.bridged_shares == noted.omni_supply - noted.supply
    assert start.unclaimed_shares == noted.supply - sum(noted.shares.values())


def in_order(facts: stream_vault.SpanFacts) -> list[VaultFact]:
    return sorted([*facts.events, *facts.rolls, *facts.transfers], key=lambda fact: (fact.block, fact.log_index))


def test_a_vault_with_rounds_is_what_its_views_say_block_by_block(node: Node) -> None:
    vault = RoundVault.deploy(node)
    play = RandomPlay(Random(1), vault)
    for _ in range(110):
        play.step()
    ledger, span = VaultLedger(vault.address, DECIMALS), Span(0, vault.moments[-1].block + 1)
    facts = read(node, stream_vault.read_span({vault.address: ledger}, span), span.end)
    check_ledger(ledger, vault.moments[-1])
    assert {event.kind for event in facts.events} == {"stake", "instant_unstake", "unstake", "redeem"}
    assert len(facts.rolls) == len(vault.starts) > 20
    assert {roll.yield_units > 0 for roll in facts.rolls} == {True, False}
    for start, noted in zip(facts.starts, vault.starts, strict=True):
        check_start(start, noted)
    by_block = {block: list(them) for block, them in groupby(in_order(facts), lambda fact: fact.block)}
    again = {vault.address: VaultLedger(vault.address, DECIMALS)}
    for moment in vault.moments:
        stream_vault.fold(again, by_block.pop(moment.block, []))
        check_ledger(again[vault.address], moment)
    assert not by_block


def test_shares_on_two_chains_are_each_persons_once_at_every_roll(tmp_path: Path) -> None:
    with two_chains(tmp_path) as chains:
        vault, away = RoundVault.deploy(chains.home.node), AwayShares.deploy(chains.away.node)
        play = RandomPlay(Random(3), vault, away)
        away.note()
        for _ in range(90):
            play.step(chains.now + 5)
        span, away_span = (Span(0, each.moments[-1].block + 1) for each in (vault, away))
        ledger, shares = VaultLedger(vault.address, DECIMALS), ShareLedger(away.address)
        starts = read(chains.home.node, stream_vault.read_span({vault.address: ledger}, span), span.end).starts
        conversation = stream_vault.read_transfers({away.address: shares}, away_span)
        transfers = read(chains.away.node, conversation, away_span.end, AWAY_CHAIN_ID)
    times = [start.time for start in starts]
    in_flight = 0
    for start, there, noted in zip(starts, shares_at(away.address, transfers, times), vault.starts, strict=True):
        said = away.at(start.time)
        joined = join_chains(start, {AWAY_CHAIN_ID: there})
        everywhere = Counter(noted.shares) + Counter(said.balances)
        del everywhere[away.address]
        assert joined.shares == dict(sorted(everywhere.items()))
        assert joined.in_flight_shares == noted.omni_supply - noted.supply - said.supply
        in_flight += joined.in_flight_shares > 0
    assert 3 < in_flight < len(starts)
    assert shares.balances() == away.moments[-1].balances


def test_an_erc4626_vault_is_what_its_views_say_block_by_block(node: Node) -> None:
    vault = Yield.deploy(node)
    random = Random(4)
    for _ in range(120):
        yield_step(random, vault)
    ledger, span = ShareLedger(vault.address), Span(0, vault.moments[-1].block + 1)
    facts = read(node, erc4626.read_span({vault.address: ledger}, span), span.end)
    again = ShareLedger(vault.address)
    by_block = {block: list(them) for block, them in groupby(facts.transfers, lambda fact: fact.block)}
    for moment in vault.moments:
        for transfer in by_block.get(moment.block, []):
            again.apply(transfer)
        assert again.balances() == moment.balances
        assert again.supply == moment.supply
    assert again.balances() == ledger.balances()
    assert {exchange.kind for exchange in facts.exchanges} == {"deposit", "withdraw"}
    check_prices(vault, facts.exchanges)


def check_prices(vault: Yield, exchanges: Sequence[AssetExchange]) -> None:
    """The vault's price of each block is believed, and explains every exchange of a whole share or more."""
    answers = [GridAnswer(moment.block, moment.time, moment.price_per_share) for moment in vault.moments]
    assert len({answer.price_per_share for answer in answers}) > 15
    within = {"share_decimals": vault.decimals, "minimum_shares": 10**vault.decimals, "max_age": 3_600}
    assert deviations(exchanges, answers, limit_ppm=2, **within) == []
    assert deviations(exchanges, [answers[0]._replace(price_per_share=1_500_000)], limit_ppm=2, **within)
