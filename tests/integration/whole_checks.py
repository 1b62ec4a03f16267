"""The stored facts of the scene of everything, held to the contracts' own numbers at any block."""

from sqlalchemy import Connection

from loyalty.core.address import Address
from loyalty.jobs.followers.curve import fold
from loyalty.protocols.erc20 import ShareLedger
from loyalty.protocols.uniswap_v3.ledger import Ledger
from loyalty.protocols.vaults.stream_vault.ledger import VaultLedger
from loyalty.state import chains, facts, pools, share_pools, token_transfers, vaults
from loyalty.state.vault_facts import ledger_facts
from tests.integration.vault_checks import check_ledger
from tests.integration.vault_views import DECIMALS, ShareMoment, YieldMoment
from tests.integration.whole_scene import WholeScene, as_of


def check_home(scene: WholeScene, connection: Connection, block: int) -> None:
    """Positions, LP and gauge balances, and the vault's accounts after a block of the home chain."""
    check_uniswap(scene, connection, block)
    check_curve(scene, connection, block)
    if (moment := as_of(scene.vaults.vault.moments, block)) is not None:
        ledger = VaultLedger(scene.vaults.vault.address, DECIMALS)
        for fact in ledger_facts(connection, _vaults(connection)[ledger.vault], block + 1):
            ledger.apply(fact)
        ledger.close_transaction()
        check_ledger(ledger, moment)


def check_away(scene: WholeScene, connection: Connection, block: int) -> None:
    """Bridged shares and those of the ERC-4626 vault after a block of the other chain."""
    bridged, yields = scene.vaults.shares, scene.vaults.yields
    check_shares(connection, bridged.address, as_of(bridged.moments, block), block)
    check_shares(connection, yields.address, as_of(yields.moments, block), block)


def check_uniswap(scene: WholeScene, connection: Connection, block: int) -> None:
    home, pool, manager = scene.chains.home.id, scene.holders.scene.pool.address, scene.holders.manager
    moment = as_of(scene.holders.moments, block)
    if moment is None:
        return
    ledger = Ledger(chains.position_managers(connection, home) or ())
    rows = [row for row in pools.all_pools(connection, home) if row.address == pool]
    for fact in facts.ledger_facts(connection, [row.id for row in rows]):
        if fact.block <= block:
            ledger.apply(fact)
    found = {
        (key.owner, key.lower, key.upper, key.token and key.token.token_id, liquidity)
        for key, liquidity in ledger.positions(pool).items()
    }
    said = {(each.owner, each.lower, each.upper, each.token_id, each.liquidity) for each in moment.positions}
    said.add((manager, moment.range.lower, moment.range.upper, None, moment.range.liquidity))
    assert found == {each for each in said if each[-1]}


def check_curve(scene: WholeScene, connection: Connection, block: int) -> None:
    venue, moment = scene.curve_pool, as_of(scene.holders.curve.moments, block)
    if moment is None:
        return
    stored = [each for each in share_pools.all_on(connection, scene.chains.home.id) if each.pool.address == venue.pool]
    ledger = fold(connection, stored, block + 1)
    assert ledger.shares(venue.lp_token).supply == moment.supply[venue.pool]
    assert tuple(ledger.holdings(venue.pool).values()) == moment.holdings[venue.pool]
    for token in venue.shares:
        assert ledger.shares(token).balances() == moment.balances[token]


def check_shares(connection: Connection, token: Address, said: ShareMoment | YieldMoment | None, block: int) -> None:
    if said is None:
        return
    ledger, token_id = ShareLedger(token), _vaults(connection)[token].share_token_id
    for transfer in token_transfers.of_tokens(connection, [token_id], before_block=block + 1):
        ledger.apply(transfer)
    assert (ledger.balances(), ledger.supply) == (said.balances, said.supply)


def _vaults(connection: Connection) -> dict[Address, vaults.Vault]:
    return {each.pool.address: each for each in vaults.all_vaults(connection)}
