"""Checks of contracts that are looked through: whose holders are known, and that no pool or gauge is among them."""

from collections.abc import Iterator

from loyalty.config.checks import chain_names, check_exactly_one, check_reference, check_unique
from loyalty.config.entries import ChainTable, Document, LookThroughTable
from loyalty.config.faults import Place, known, shown
from loyalty.config.tables import given, rows
from loyalty.core.address import Address, checksum
from loyalty.protocols.nft_stakers.shape import parse_shape

DEPOSIT = "DepositTransferred(uint256 indexed tokenId, address indexed oldOwner, address indexed newOwner)"
"""The event of Uniswap's own staker, by which deposits are known where the file names no other."""

_ONLY_FOR_STAKERS = ("deposit", "withdraw", "position_manager")


def check_look_through(document: Document) -> None:
    entries = rows(document.look_through)
    check_unique((entry.place.at("address"), (entry.chain, entry.address)) for entry in entries)
    for entry in entries:
        check_reference(entry.place.at("chain"), entry.chain, chain_names(document))
        if check_exactly_one(entry, ("shares", "kind")):
            _check_staker(document, entry)
        _check_elsewhere(document, entry)
    _check_exclusions(document)


def _check_exclusions(document: Document) -> None:
    """A contract that is looked through on every chain of the file earns nowhere: its exclusion would mean nothing."""
    names = chain_names(document)
    through: dict[Address, set[str]] = {}
    for entry in rows(document.look_through):
        if known(entry.chain, entry.address):
            through.setdefault(entry.address, set()).add(entry.chain)
    for exclusion in rows(document.exclusions) if names else ():
        if known(exclusion.address) and through.get(exclusion.address, set()).issuperset(names or ()):
            read = f"{checksum(exclusion.address)}, which is looked through on every chain"
            exclusion.place.at("address").fault(read, "an address that could earn: exclude holders behind it apart")


def _check_staker(document: Document, entry: LookThroughTable) -> None:
    if entry.kind is None:
        for name in given(entry, _ONLY_FOR_STAKERS):
            entry.place.at(name).fault("it for a contract with shares", 'it for kind = "nft_staker" only: remove it')
        return
    chains = [chain for chain in rows(document.chains) if known(chain.name) and chain.name == entry.chain]
    if chains and known(chains[0].position_managers):
        _check_manager(chains[0], entry)
    if known(entry.deposit, entry.withdraw) and entry.withdraw is not None:
        deposit = parse_shape(entry.deposit or DEPOSIT)
        if deposit.topic0 == parse_shape(entry.withdraw, withdraws=True).topic0:
            entry.place.at("withdraw").fault(shown(entry.withdraw), "another event than the deposit")


def _check_manager(chain: ChainTable, entry: LookThroughTable) -> None:
    """Whose NFTs it holds: the chain's one position manager, or one of several by name."""
    managers = [manager.address for manager in chain.position_managers]
    place = entry.place.at("position_manager")
    if not managers:
        entry.place.at("kind").fault(shown(entry.kind), f"it on a chain with position_managers; {chain.name} has none")
    elif entry.position_manager is None and len(managers) > 1:
        place.fault("nothing", f"one of the position_managers of {chain.name}, which has {len(managers)}")
    elif known(entry.position_manager, *managers) and entry.position_manager not in (None, *managers):
        place.fault(checksum(entry.position_manager or managers[0]), f"one of the position_managers of {chain.name}")


def _check_elsewhere(document: Document, entry: LookThroughTable) -> None:
    """What the program counts already is credited to its holders as a pool's, or behind the pool's gauge."""
    if not known(entry.chain, entry.address):
        return
    for place, what, chain, address in _counted(document):
        if known(chain, address) and (chain, address) == (entry.chain, entry.address):
            entry.place.at("address").fault(checksum(address), f"another than {what} at {place.path}")


def _counted(document: Document) -> Iterator[tuple[Place, str, str, Address]]:
    for pool in rows(document.pools):
        yield pool.place.at("address"), "the pool", pool.chain, pool.address
        if pool.lp_token is not None:
            yield pool.place.at("lp_token"), "the LP token", pool.chain, pool.lp_token
        for number, gauge in enumerate(_listed(pool.gauges)):
            yield pool.place.at("gauges", number), "the gauge, behind which its stakers are known,", pool.chain, gauge
        for deployment in rows(pool.deployments or ()):
            yield deployment.place.at("address"), "the vault's shares", deployment.chain, deployment.address


def _listed(addresses: tuple[Address, ...] | None) -> tuple[Address, ...]:
    """None where the list is not given or could not be read."""
    return addresses if addresses is not None and known(addresses) else ()
