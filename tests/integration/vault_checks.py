"""A vault's ledger held to a moment's views."""

from loyalty.protocols.vaults.stream_vault.ledger import VaultLedger
from tests.integration.vault_calls import PEOPLE
from tests.integration.vault_views import VaultMoment


def check_ledger(ledger: VaultLedger, moment: VaultMoment) -> None:
    """The ledger says all that the vault said after a block."""
    assert ledger.round == moment.round
    assert (ledger.price_per_share or 0) == moment.price_per_share
    assert ledger.supply == moment.supply
    assert ledger.bridged_shares == moment.omni_supply - moment.supply
    assert ledger.shares() == dict(sorted(moment.shares.items()))
    for person in PEOPLE:
        assert ledger.pending(person) == moment.pending(person)
        assert ledger.owed(person) == moment.owed(person)
        assert ledger.balance(person) == moment.balances.get(person, 0)
    assert ledger.balance(ledger.vault) == moment.balances.get(ledger.vault, 0)
    assert sum(ledger.pending(person) for person in PEOPLE) == moment.total_pending
