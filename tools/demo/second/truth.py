"""What the second chain's contracts say at some moments of the story, for tests to compare with what the logs give."""

from dataclasses import dataclass, field
from typing import Any

from tools.demo.second import contracts as on
from tools.demo.second.stage import SecondStage
from tools.evm.functions import function

SUPPLY = function("totalSupply", results=["uint256"])
ROUND = function("round", results=["uint256"])
PRICE = function("roundPricePerShare", ["uint256"], ["uint256"])


@dataclass
class SecondTruth:
    """`moments` are JSON objects; see loyalty/demo/README.md."""

    stage: SecondStage
    moments: list[dict[str, Any]] = field(default_factory=list)

    def look(self) -> None:
        """Asks the contracts for everything, after the last block."""
        at, header = self.stage.deployed, self.stage.blocks[-1].header
        round_number = self.stage.ask(at.vault, ROUND)
        self.moments.append(
            {
                "block": header.number,
                "time": header.time,
                "lp": self._all(at.pool, on.BALANCE),
                "lp_supply": str(self.stage.ask(at.pool, SUPPLY)),
                "coins": [str(self.stage.ask(coin, on.BALANCE, at.pool)) for coin in at.coins],
                "gauge": self._all(at.gauge, on.BALANCE),
                "shares": self._all(at.vault, on.SHARES),
                "round": round_number,
                "price_per_share": str(self.stage.ask(at.vault, PRICE, round_number - 1)),
            }
        )

    def _all(self, contract: Any, view: Any) -> dict[str, str]:
        """What each account has, where it has anything."""
        asked = ((account, self.stage.ask(contract, view, account)) for account in sorted(set(self.stage.accounts)))
        return {account: str(units) for account, units in asked if units}
