"""Checks of points: which pools have any, at a rate that fits them, once a score."""

from collections.abc import Sequence

from loyalty.config.checks import check_exactly_one, check_unique
from loyalty.config.entries import Document, PointsTable, PoolTable
from loyalty.config.faults import Place, known, shown
from loyalty.config.tables import all_known, given, rows
from loyalty.core.address import Address, checksum

_BY_ROUND, _BY_DAY = "per_usd_per_round", "per_usd_day"


def check_points(document: Document) -> None:
    """Tables of one name are parts of one score: each pool once in all of them, and one rule about unstaking."""
    entries = rows(document.points)
    check_unique((place, (entry.name, address)) for entry in entries for place, address in _pools(entry))
    _check_one_rule(entries)
    for entry in entries:
        if check_exactly_one(entry, (_BY_ROUND, _BY_DAY)) and all_known(document.pools, "address"):
            for place, address in _pools(entry):
                _check_pool(document, entry, place, address)


def _pools(entry: PointsTable) -> list[tuple[Place, Address]]:
    numbered = enumerate(entry.pools if known(entry.pools) else ())
    return [(entry.place.at("pools", number), address) for number, address in numbered]


def _check_one_rule(entries: Sequence[PointsTable]) -> None:
    first: dict[str, PointsTable] = {}
    for entry in entries:
        if not known(entry.name, entry.require_no_unstake):
            continue
        other = first.setdefault(entry.name, entry)
        if other.require_no_unstake != entry.require_no_unstake:
            read = str(entry.require_no_unstake).lower()
            where = other.place.at("require_no_unstake").path
            entry.place.at("require_no_unstake").fault(read, f"the same as at {where}: both are {shown(entry.name)}")


def _check_pool(document: Document, entry: PointsTable, place: Place, address: Address) -> None:
    found = [pool for pool in document.pools if pool.address == address]
    if len(found) == 1:
        _check_rate(entry, place, found[0])
    elif not found and (vault := _vault_of(document, address)) is not None:
        read = f"{checksum(address)}, shares that were bridged there"
        place.fault(read, f"the vault's own address: {checksum(vault.address)}")
    else:
        place.fault(checksum(address), "the address of exactly one pool of the file")


def _vault_of(document: Document, address: Address) -> PoolTable | None:
    """The vault whose shares a contract of another chain has."""
    vaults = (pool for pool in document.pools for each in rows(pool.deployments or ()) if each.address == address)
    return next(vaults, None)


def _check_rate(entry: PointsTable, place: Place, pool: PoolTable) -> None:
    """Vaults with rounds have points by the round, and only they."""
    if not known(pool.protocol):
        return
    wanted = _BY_ROUND if pool.protocol == "stream_vault" else _BY_DAY
    if wanted not in given(entry, (_BY_ROUND, _BY_DAY)):
        has = "rounds" if wanted == _BY_ROUND else "no rounds"
        place.fault(f"a pool of {pool.protocol}, which has {has}", f"{wanted} for it: give it a table of its own")
