"""What a pool says about itself: the calls (four-byte selectors, no arguments) and their answers."""

from collections.abc import Sequence
from typing import NamedTuple

from loyalty.core.address import Address
from loyalty.protocols.view_call import ViewCall, address_read, below


class PoolContract(NamedTuple):
    """What never changes about a pool. `fee_pips` in hundredths of a bip: 3000 is 0.30%."""

    token0: Address
    token1: Address
    fee_pips: int
    tick_spacing: int


TOKEN0 = ViewCall("token0()", bytes.fromhex("0dfe1681"), address_read)
TOKEN1 = ViewCall("token1()", bytes.fromhex("d21220a7"), address_read)
FEE_PIPS = ViewCall("fee()", bytes.fromhex("ddca3f43"), below(1_000_000))
TICK_SPACING = ViewCall("tickSpacing()", bytes.fromhex("d0c93a7c"), below(16_384))
"""Bounds of `UniswapV3Factory.enableFeeAmount`."""

POOL_CALLS: tuple[ViewCall[Address] | ViewCall[int], ...] = (TOKEN0, TOKEN1, FEE_PIPS, TICK_SPACING)
"""To be asked of a pool, in the order in which `decode_pool` takes the answers."""


def decode_pool(answers: Sequence[bytes], pool: Address) -> PoolContract:
    """A pool's answers to POOL_CALLS."""
    token0, token1, fee, tick_spacing = answers
    return PoolContract(
        TOKEN0.decode(token0, pool),
        TOKEN1.decode(token1, pool),
        FEE_PIPS.decode(fee, pool),
        TICK_SPACING.decode(tick_spacing, pool),
    )
