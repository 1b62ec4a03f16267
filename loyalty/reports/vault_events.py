"""Events of vaults, the newest first: what accounts did, rolls, and transfers of shares, as the logs say."""

from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple, get_args

from loyalty.core.address import Address, checksum
from loyalty.core.amounts import format_units
from loyalty.core.errors import Invalid
from loyalty.core.facts import AssetExchange, RoundRolled, TokenTransfer, VaultEvent
from loyalty.core.times import time_text
from loyalty.program.rules import Token
from loyalty.reports.paging import Cut, behind, page
from loyalty.reports.provider import known
from loyalty.reports.shapes import Shape, pool_of
from loyalty.reports.snapshot import Snapshot
from loyalty.state import asset_exchanges, pool_tokens, round_rolls, token_transfers, vault_events, vaults
from loyalty.state.newest import Moment, Wanted
from loyalty.state.vaults import Vault

Kind = Literal["stake", "instant_unstake", "unstake", "redeem", "roll", "deposit", "withdraw", "transfer"]
KINDS: tuple[str, ...] = get_args(Kind)
Fact = VaultEvent | RoundRolled | AssetExchange | TokenTransfer


class _Told(NamedTuple):
    """A fact of a vault."""

    vault: Vault
    asset: Token
    fact: Fact

    @property
    def newest_first(self) -> tuple[int, ...]:
        return (-self.fact.time, -self.vault.pool.chain_id, -self.fact.block, -self.fact.log_index)


def events(
    snapshot: Snapshot, cut: Cut, address: Address | None = None, pool: Address | None = None, kind: str | None = None
) -> Shape:
    """One page of the events (of one account, of the vaults at one address, of one kind)."""
    if kind is not None and kind not in KINDS:
        raise Invalid(f"kind {kind!r} is not known: there are {', '.join(KINDS)}")
    order = f"events {address} {pool} {kind}"
    place = behind(cut, order, 4)
    before = None if place is None else Moment(*(-part for part in place))
    account = None if address is None else known(snapshot, address).id
    wanted = Wanted(cut.limit + 1, before, account)
    found = [each for vault in _vaults(snapshot, pool) for each in _told(snapshot, vault, wanted, kind)]
    rows, after = page(found, lambda each: each.newest_first, order, cut)
    return {"items": [_shape(each) for each in rows], "after": after, **snapshot.moving()}


def _vaults(snapshot: Snapshot, pool: Address | None) -> list[Vault]:
    return [each for each in vaults.all_vaults(snapshot.connection) if pool in (None, each.pool.address)]


Read = Callable[[Any, int, Wanted], list[Any]]
_SOURCES: tuple[tuple[frozenset[str], Read], ...] = (
    (frozenset({"stake", "instant_unstake", "unstake", "redeem"}), vault_events.latest),
    (frozenset({"roll"}), round_rolls.latest),
    (frozenset({"deposit", "withdraw"}), asset_exchanges.latest),
)


def _told(snapshot: Snapshot, vault: Vault, wanted: Wanted, kind: str | None) -> Iterator[_Told]:
    asset = snapshot.rules.tokens[pool_tokens.symbols(snapshot.connection, vault.pool)[0]]
    for kinds, read in _SOURCES:
        if kind is None or kind in kinds:
            for fact in read(snapshot.connection, vault.pool.id, wanted._replace(kind=kind)):
                yield _Told(vault, asset, fact)
    if kind in (None, "transfer"):
        for fact in token_transfers.latest(snapshot.connection, vault.share_token_id, wanted):
            yield _Told(vault, asset, fact)


def _shape(each: _Told) -> Shape:
    pool, fact = each.vault.pool, each.fact
    nothing = dict.fromkeys(("address", "recipient", "round", "assets", "shares", "price_per_share", "yield"))
    return {
        "kind": _kind(fact),
        "time": time_text(fact.time),
        **pool_of(pool.chain_id, pool.address),
        **nothing,
        **_parts(fact, each.vault.share_decimals, each.asset.decimals),
        "block": fact.block,
        "log_index": fact.log_index,
        "transaction_hash": f"0x{fact.transaction_hash.hex()}",
    }


def _kind(fact: Fact) -> str:
    match fact:
        case VaultEvent() | AssetExchange():
            return fact.kind
        case RoundRolled():
            return "roll"
        case TokenTransfer():
            return "transfer"


def _parts(fact: Fact, share_decimals: int, asset_decimals: int) -> Shape:
    match fact:
        case VaultEvent():
            units = "shares" if fact.kind == "redeem" else "assets"
            decimals = share_decimals if fact.kind == "redeem" else asset_decimals
            return {
                "address": checksum(fact.account),
                "round": fact.round,
                units: format_units(fact.units, decimals),
            }
        case RoundRolled():
            return {
                "round": fact.round,
                "shares": format_units(fact.shares_minted, share_decimals),
                "price_per_share": format_units(fact.price_per_share, asset_decimals),
                "yield": format_units(fact.yield_units, asset_decimals),
            }
        case AssetExchange():
            return {
                "address": checksum(fact.owner),
                "assets": format_units(fact.assets, asset_decimals),
                "shares": format_units(fact.shares, share_decimals),
            }
        case TokenTransfer():
            return {
                "address": checksum(fact.sender),
                "recipient": checksum(fact.recipient),
                "shares": format_units(fact.units, share_decimals),
            }
