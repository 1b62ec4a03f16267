"""Contracts that are looked through: asked once whether they are there, and followed from then on."""

from sqlalchemy import Connection

from loyalty.chain.chain import Chain
from loyalty.config import LookThroughSettings, Program
from loyalty.core.address import Address, checksum
from loyalty.core.errors import Invalid
from loyalty.jobs.followers.nft_staker import staker_detail
from loyalty.protocols.vaults.erc4626.contract import TOTAL_SUPPLY, decode_units
from loyalty.state import followed_contracts
from loyalty.state.engine import State


def unknown_holders(state: State, program: Program, chain_id: int) -> list[LookThroughSettings]:
    """The program's contracts on a chain that the database does not follow yet."""
    wanted = [each for each in program.look_through if each.chain_id == chain_id]
    with state.read() as connection:
        return [each for each in wanted if not is_followed(connection, each)]


def is_followed(connection: Connection, holder: LookThroughSettings) -> bool:
    """Whether the database follows it already."""
    return followed_contracts.find(connection, holder.chain_id, holder.kind, holder.address) is not None


async def check_holder(chain: Chain, holder: LookThroughSettings) -> None:
    """Invalid, at its place, where there is no contract at the head, or its shares are no token."""
    if not await chain.code_at(holder.address):
        raise Invalid(_none_at(holder, "address", holder.address))
    if holder.shares is None:
        return
    if not await chain.code_at(holder.shares):
        raise Invalid(_none_at(holder, "shares", holder.shares))
    try:
        decode_units(await chain.call(holder.shares, TOTAL_SUPPLY), holder.shares, "totalSupply()")
    except Invalid as refused:
        raise Invalid(
            f"{place(holder)}.shares: the contract at {checksum(holder.shares)} is no ERC-20 token ({refused})"
        ) from None


def register_holder(connection: Connection, holder: LookThroughSettings) -> None:
    """Follow it; Conflict where what is stored of it is another.

    A start that the file does not write is that of the first time: pools that come or go later do not move it.
    """
    known = followed_contracts.find(connection, holder.chain_id, holder.kind, holder.address)
    start_block = holder.start_block if known is None or holder.is_start_written else known.start_block
    followed_contracts.ensure(
        connection, holder.chain_id, holder.kind, holder.address, start_block, holder.shares, _detail(holder)
    )


def _detail(holder: LookThroughSettings) -> str | None:
    if holder.manager is None or holder.deposit is None:
        return None
    return staker_detail(holder.manager, holder.deposit, holder.withdraw)


def place(holder: LookThroughSettings) -> str:
    """Where the program file speaks of the contract."""
    return f"look_through[{checksum(holder.address)}]"


def _none_at(holder: LookThroughSettings, key: str, address: Address) -> str:
    return (
        f"{place(holder)}.{key}: there is no contract at {checksum(address)} on {holder.chain}: check address and chain"
    )
