"""Gauges: who has staked LP tokens, one gauge token for each.

Child gauges, and all since 2020's second kind, are ERC-20 and log a Transfer beside every Deposit and Withdraw; the
first kind logs Deposit and Withdraw alone. Those become transfers of the gauge's address from and to ZERO_ADDRESS.
"""

from collections.abc import Iterable, Sequence

from loyalty.core.address import ZERO_ADDRESS
from loyalty.core.errors import Inconsistent
from loyalty.core.facts import TokenTransfer
from loyalty.core.logs import RawLog
from loyalty.protocols.abi import address, place, words
from loyalty.protocols.curve import topics
from loyalty.protocols.erc20 import TRANSFER, decode_transfer, moves

_STAKES = {topics.GAUGE_DEPOSIT: "Deposit", topics.GAUGE_WITHDRAW: "Withdraw"}

GAUGE_TOPICS = (TRANSFER, *_STAKES)


def read_gauge(logs: Sequence[RawLog]) -> list[TokenTransfer]:
    """One gauge's facts from its logs of GAUGE_TOPICS, in (block, log index) order.

    A Deposit or Withdraw that a Transfer beside it repeats is no fact of its own. Inconsistent where a gauge that does
    log Transfers has left one out.
    """
    transfers = {(log.block, log.log_index): decode_transfer(log) for log in logs if log.topics[0] == TRANSFER}
    stakes = [_decode_stake(log) for log in logs if log.topics[0] != TRANSFER]
    free = dict(transfers)
    alone = [stake for stake in stakes if not _repeated(stake, free)]
    alone = [stake for stake in alone if stake.units]
    if alone and any(map(moves, transfers.values())):
        raise _half_told(alone[0])
    facts: Iterable[TokenTransfer] = filter(moves, [*transfers.values(), *alone])
    return sorted(facts, key=lambda fact: (fact.block, fact.log_index))


def _decode_stake(log: RawLog) -> TokenTransfer:
    """A Deposit (minted to the provider) or Withdraw (burned by it), as the transfer that it amounts to."""
    event = _STAKES[log.topics[0]]
    (units,) = words(log, event, topics=2, data_words=1)
    provider = address(log.topics[1], place(log, event))
    sender, recipient = (ZERO_ADDRESS, provider) if event == "Deposit" else (provider, ZERO_ADDRESS)
    return TokenTransfer(
        log.address,
        log.block,
        log.log_index,
        log.time,
        sender,
        recipient,
        int.from_bytes(units),
        log.transaction_hash,
    )


def _repeated(stake: TokenTransfer, free: dict[tuple[int, int], TokenTransfer]) -> bool:
    """Whether the log beside `stake` is the same as a Transfer; each Transfer repeats one."""
    for index in (stake.log_index + 1, stake.log_index - 1):
        beside = free.get((stake.block, index))
        if beside is not None and beside._replace(log_index=stake.log_index) == stake:
            del free[stake.block, index]
            return True
    return False


def _half_told(stake: TokenTransfer) -> Inconsistent:
    event = "Deposit" if stake.sender == ZERO_ADDRESS else "Withdraw"
    return Inconsistent(
        f"{event} of gauge {stake.token}, block {stake.block}, log {stake.log_index}: no Transfer stands beside it, "
        "while this gauge does log Transfers: the endpoint left out a log, ask another one"
    )


def gauge_logs(logs: Iterable[RawLog]) -> list[RawLog]:
    """Those of GAUGE_TOPICS."""
    return [log for log in logs if log.topics and log.topics[0] in GAUGE_TOPICS]
