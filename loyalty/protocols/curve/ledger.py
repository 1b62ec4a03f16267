"""The ledger of Curve pools: LP and gauge balances, and each pool's holdings, a fold of stored transfers."""

from collections.abc import Mapping, Sequence

from loyalty.core.address import Address
from loyalty.core.errors import Inconsistent, Invalid
from loyalty.core.facts import TokenTransfer
from loyalty.protocols.curve.events import Generation
from loyalty.protocols.curve.pool import CurvePool, check_pools
from loyalty.protocols.erc20 import HolderChange, ShareLedger


class CurveLedger:
    """Folds TokenTransfers in (block, log index) order. After an Inconsistent it is of no further use.

    `generations` are what was learned of the pools so far; stored with them, as one event cannot be read without.
    """

    def __init__(self, pools: Sequence[CurvePool], generations: Mapping[Address, Generation] | None = None) -> None:
        check_pools(pools)
        self.pools = tuple(pools)
        self.generations = dict(generations or {})
        self._shares = {token: ShareLedger(token) for pool in pools for token in (pool.lp_token, *pool.gauges)}
        self._holdings = {pool.pool: dict.fromkeys(pool.coins, 0) for pool in pools}

    def copy(self) -> "CurveLedger":
        twin = CurveLedger(self.pools, self.generations)
        twin._shares = {token: ledger.copy() for token, ledger in self._shares.items()}
        twin._holdings = {pool: coins.copy() for pool, coins in self._holdings.items()}
        return twin

    def shares(self, token: Address) -> ShareLedger:
        """The balances and the supply of an LP or gauge token. Not to be changed."""
        return self._shares[token]

    def holdings(self, pool: Address) -> dict[Address, int]:
        """What the pool holds of each coin, in the order of its coins: admin fees and donations included."""
        return self._holdings[pool].copy()

    def apply(self, transfer: TokenTransfer) -> list[HolderChange]:
        """Changes of an LP or gauge token's holders; of pools' holdings where the token is a coin (also both)."""
        shares = self._shares.get(transfer.token)
        holders = [pool for pool, coins in self._holdings.items() if transfer.token in coins]
        if shares is None and not holders:
            raise Invalid(f"{_place(transfer)}: no pool of this ledger has such a token")
        for pool in holders:
            self._move(pool, transfer)
        return shares.apply(transfer) if shares is not None else []

    def _move(self, pool: Address, transfer: TokenTransfer) -> None:
        delta = transfer.units * ((transfer.recipient == pool) - (transfer.sender == pool))
        units = self._holdings[pool][transfer.token] + delta
        if units < 0:
            raise Inconsistent(
                f"{_place(transfer)}: pool {pool} holds {units - delta} units and sends {-delta}. A Transfer is "
                "missing, the pool's start_block is later than its creation, or the coin moves without Transfers "
                "(rebasing, wrapped native coin): ask another endpoint, check start_block, or use value = "
                '"virtual_price"'
            )
        self._holdings[pool][transfer.token] = units


def _place(transfer: TokenTransfer) -> str:
    return f"Transfer of token {transfer.token}, block {transfer.block}, log {transfer.log_index}"
