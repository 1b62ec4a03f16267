"""What the contracts themselves say at some moments of the story, for tests to compare with what the logs give."""

from dataclasses import dataclass, field
from typing import Any

from loyalty.core.address import ZERO_ADDRESS
from loyalty.core.errors import Inconsistent
from tools.demo.stage import Stage


@dataclass
class Truth:
    """`written` is a JSON object; see loyalty/demo/README.md."""

    stage: Stage
    moments: list[dict[str, Any]] = field(default_factory=list)

    def look(self) -> None:
        """Asks the contracts for everything, after the last block."""
        header = self.stage.blocks[-1].header
        tokens = {token_id: answer for token_id in self.stage.opened if (answer := self._token(token_id))}
        moment = {"block": header.number, "time": header.time, "pools": self._pools()}
        self.moments.append(
            {**moment, "tokens": tokens, "direct": self._direct(), "inside": self._seconds_inside(tokens)}
        )

    def written(self) -> dict[str, Any]:
        names = [venue.pool.address for venue in self.stage.venues.values()]
        positions = {i: [names.index(o.venue.pool.address), o.lower, o.upper] for i, o in self.stage.opened.items()}
        return {"pools": names, "positions": positions, "moments": self.moments}

    def _token(self, token_id: int) -> list[Any] | None:
        """[owner, liquidity]; None for a token id that does not exist now."""
        manager, node = self.stage.uniswap.manager, self.stage.node
        owner = manager.owner_or_nobody(node, token_id)
        if owner == ZERO_ADDRESS:
            return None
        position, opened = manager.position(node, token_id), self.stage.opened[token_id]
        if (*position[:5],) != (*opened.venue.pool[1:4], opened.lower, opened.upper):
            raise Inconsistent(f"token id {token_id} is at {position}, not where it was opened")
        return [owner, str(position.liquidity)]

    def _pools(self) -> list[list[Any]]:
        """[sqrt price, tick, liquidity in range] of each pool."""
        views = [self.stage.uniswap.view(venue.pool) for venue in self.stage.venues.values()]
        return [[str(v.slot0().sqrt_price_x96), v.slot0().tick, str(v.liquidity())] for v in views]

    def _direct(self) -> list[list[Any]]:
        """[pool, owner, lower, upper, liquidity] of the direct owners' ranges that were opened by now."""
        return [
            [o.venue.pool.address, owner, o.lower, o.upper, str(liquidity)]
            for owner, o in self.stage.direct
            if (liquidity := self.stage.uniswap.view(o.venue.pool).position_liquidity(owner, o.lower, o.upper))
        ]

    def _seconds_inside(self, tokens: dict[int, list[Any]]) -> list[list[Any]]:
        """[pool, lower, upper, counter] of the ranges of all tokens with liquidity. Between two moments its difference
        is the seconds in range, modulo 2**32, when a token with that range kept liquidity all the time.
        """
        used = {self.stage.opened[i] for i, (_, liquidity) in tokens.items() if liquidity != "0"}
        ranges = sorted(used, key=lambda o: (o.venue.pool.address, o.lower, o.upper))
        return [
            [
                o.venue.pool.address,
                o.lower,
                o.upper,
                self.stage.uniswap.view(o.venue.pool).seconds_inside(o.lower, o.upper),
            ]
            for o in ranges
        ]
