"""One provider's shares of a vault over time, in its hands and owed by the vault, and their lines."""

from collections.abc import Iterator
from fractions import Fraction

from sqlalchemy import Connection

from loyalty.core.address import Address, checksum
from loyalty.core.amounts import USD_DECIMALS
from loyalty.core.checkpoint import Checkpoint
from loyalty.core.times import DAY_SECONDS
from loyalty.jobs.histories.pool_prices import Priced
from loyalty.jobs.histories.vault import VaultInputs, holdings_of
from loyalty.program.explanation import PositionLine
from loyalty.reports.followed import Held, liquidity_spans
from loyalty.reports.followed_holders import HolderHistory, left_line, lines_behind
from loyalty.state import vault_facts, vaults
from loyalty.state.pools import PoolRow


def follow_vault(connection: Connection, pool: PoolRow, provider: Address) -> list[Held]:
    """A fold over the vault's facts, kept for one provider."""
    vault = vaults.get(connection, pool.id)
    holdings, steps = holdings_of(vault), list[Held]()
    for fact in vault_facts.ledger_facts(connection, vault):
        for change in holdings.apply(fact):
            if change.holder == provider:
                units = (steps[-1].liquidity if steps else 0) + change.delta
                steps.append(Held(change.time, units, Checkpoint(fact.block, fact.log_index)))
    return steps


def vault_lines(
    inputs: VaultInputs,
    priced: Priced,
    provider: Address,
    followed: list[Held],
    shares: dict[Address, Address | None],
    behind: HolderHistory,
) -> tuple[PositionLine, ...]:
    """The provider's lines of a pool-day: its own shares exactly, and its whole part of each contract's cell."""
    if not priced.until:
        return ()
    found = inputs.looked_through(priced)
    left = left_line(inputs.holders, found.unresolved, provider, priced.until)
    if left is not None:
        return left
    own = _own_line(inputs, priced, found.direct.get(provider, 0), followed)
    lines: Iterator[PositionLine] = lines_behind(found.staked, shares, provider, behind, priced.until)
    return tuple(line for line in (own, *lines) if line.spans)


def _own_line(inputs: VaultInputs, priced: Priced, raw: int, followed: list[Held]) -> PositionLine:
    usd_micro_days = Fraction(raw * 10**USD_DECIMALS, DAY_SECONDS * inputs.credit_scale)
    spans = liquidity_spans(followed, priced.until)
    seconds = sum(each.span.length for each in spans)
    name = f"shares of vault {checksum(inputs.vault.share_token)}"
    return PositionLine(name, None, None, spans, usd_micro_days, usd_micro_days, seconds)
