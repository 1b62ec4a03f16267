"""A program as its file says it, every default filled in: the rules, and where chains, tokens and pools are found.

Times are UTC unix seconds, days are counted from 1970-01-01. `masked()` of each value is what `loyalty config` prints:
JSON-ready, in the words and shapes of the file, nothing secret in it.
"""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from loyalty.config.endpoint_url import EndpointUrl
from loyalty.config.price_settings import PriceSetting
from loyalty.config.rules_shown import dated, shown_points, shown_rules
from loyalty.core.address import Address, checksum
from loyalty.core.amounts import format_decimal
from loyalty.core.times import duration_text
from loyalty.program.rules import LookThroughRule, PoolKey, Rules, Token


@dataclass(frozen=True, slots=True)
class PositionManager:
    """A contract that issues position NFTs, and the block from which it is asked."""

    address: Address
    start_block: int


@dataclass(frozen=True, slots=True)
class ChainSettings:
    """A chain and where it is asked, in this order.

    `endpoints_from` is the environment variable that gave the endpoints, or the file's key; `base` is the folder that
    a relative `file:` endpoint is relative to. `confirmations` 0: the chain's own `finalized` tag decides.
    An endpoint is asked for logs of `span_blocks` at most and waited for `timeout` seconds; `parallel` questions are
    asked side by side.
    """

    name: str
    id: int
    endpoints: tuple[EndpointUrl, ...]
    position_managers: tuple[PositionManager, ...]
    confirmations: int
    span_blocks: int
    timeout: int
    parallel: int
    endpoints_from: str
    base: Path

    def masked(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "id": self.id,
            "rpc": [endpoint.masked for endpoint in self.endpoints],
            "rpc_from": self.endpoints_from,
            "position_managers": [
                {"address": checksum(manager.address), "start_block": manager.start_block}
                for manager in self.position_managers
            ],
            "confirmations": self.confirmations,
            "span_blocks": self.span_blocks,
            "timeout": duration_text(self.timeout),
            "parallel": self.parallel,
        }


@dataclass(frozen=True, slots=True)
class TokenSettings:
    """A token and its price sources, to be tried in this order; none where nothing needs its price.

    With `max_deviation` a price is believed only within that part of what another of them, or of `references`, says.
    """

    token: Token
    prices: tuple[PriceSetting, ...]
    max_deviation: Fraction | None = None
    references: tuple[PriceSetting, ...] = ()

    @property
    def sources(self) -> tuple[PriceSetting, ...]:
        """All that are asked: for a price, then those that are only compared with."""
        return (*self.prices, *self.references)

    def masked(self) -> dict[str, Any]:
        token = self.token
        return {
            "symbol": token.symbol,
            "chain_id": token.chain,
            "address": checksum(token.address) if token.address else None,
            "decimals": token.decimals,
            "price_decimals": token.price_decimals,
            "max_age": duration_text(token.max_age),
            "price": [price.masked(token.price_decimals) for price in self.prices],
            **self._masked_limit(),
        }

    def _masked_limit(self) -> dict[str, Any]:
        if self.max_deviation is None:
            return {}
        return {
            "max_deviation": format_decimal(self.max_deviation),
            "references": [price.masked(self.token.price_decimals) for price in self.references],
        }


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """A pool, where it is found, and its part in the program: the days [from_day, until_day) (None: open), the weight.

    `tokens` are symbols. For uniswap_v3 they are token0 and token1: where the file gives both addresses they are put
    in the order of the addresses, which is the pool's; otherwise, and for curve, the file's order must be the pool's.
    `fee_pips` (in hundredths of a bip) and `tick_spacing` None: to be asked from the contract. `lp_token`, `gauges`,
    `value` and `max_deviation` are Curve's. `home`: these are the shares of that vault, bridged to this chain.
    """

    chain_id: int
    chain: str
    protocol: str
    address: Address
    start_block: int
    tokens: tuple[str, ...]
    fee_pips: int | None
    tick_spacing: int | None
    from_day: int | None
    until_day: int | None
    weight: Fraction
    lp_token: Address | None = None
    gauges: tuple[Address, ...] = ()
    value: str | None = None
    max_deviation: Fraction | None = None
    home: PoolKey | None = None

    @property
    def key(self) -> PoolKey:
        return PoolKey(self.chain_id, self.address)

    def masked(self) -> dict[str, Any]:
        return {
            "chain": self.chain,
            "protocol": self.protocol,
            "address": checksum(self.address),
            "start_block": self.start_block,
            "tokens": list(self.tokens),
            "fee_pips": self.fee_pips,
            "tick_spacing": self.tick_spacing,
            "weight": format_decimal(self.weight),
            **dated(self.from_day, self.until_day),
            **self._masked_curve(),
            **({"home": {"chain_id": self.home.chain, "address": checksum(self.home.address)}} if self.home else {}),
        }

    def _masked_curve(self) -> dict[str, Any]:
        if self.protocol != "curve":
            return {}
        return {
            "lp_token": checksum(self.lp_token or self.address),
            "gauges": [checksum(gauge) for gauge in self.gauges],
            "value": self.value or "holdings",
            "max_deviation": None if self.max_deviation is None else format_decimal(self.max_deviation),
        }


@dataclass(frozen=True, slots=True)
class LookThroughSettings:
    """A contract that holds for others: by its share token, or, for an NFT staker, by its own events.

    `manager` issued the NFTs that a staker holds; `deposit` and `withdraw` are its events as declared (None: it has no
    event of the second kind). `is_start_written`: the file gives `start_block`; else it is the first pool's today.
    """

    chain_id: int
    chain: str
    address: Address
    shares: Address | None
    kind: Literal["shares", "nft_staker"]
    start_block: int
    manager: Address | None = None
    deposit: str | None = None
    withdraw: str | None = None
    is_start_written: bool = True

    @property
    def rule(self) -> LookThroughRule:
        return LookThroughRule(self.chain_id, self.address, self.kind, self.shares)

    def masked(self) -> dict[str, Any]:
        found: dict[str, Any] = {"chain_id": self.chain_id, "address": checksum(self.address)}
        found |= {"shares": checksum(self.shares) if self.shares else None, "kind": self.kind}
        found["start_block"] = self.start_block
        if self.manager is not None:
            found |= {"position_manager": checksum(self.manager), "deposit": self.deposit, "withdraw": self.withdraw}
        return found


@dataclass(frozen=True, slots=True)
class Program:
    """Everything that a program file says. `path` is the file."""

    rules: Rules
    chains: tuple[ChainSettings, ...]
    pools: tuple[PoolSettings, ...]
    tokens: tuple[TokenSettings, ...]
    look_through: tuple[LookThroughSettings, ...]
    path: Path

    def masked(self) -> dict[str, Any]:
        """The program as read, defaults filled in, endpoints without their keys."""
        return {
            "file": str(self.path),
            **shown_rules(self.rules),
            "chains": [chain.masked() for chain in self.chains],
            "tokens": [token.masked() for token in self.tokens],
            "pools": [pool.masked() for pool in self.pools],
            "look_through": [each.masked() for each in self.look_through],
            "points": shown_points(self.rules),
        }
