"""A program on a real node: the contracts played on, the program file that names them, an engine over both."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from loyalty.accrual.tick_math import sqrt_ratio_at_tick
from loyalty.config import load_settings
from loyalty.core.address import Address
from loyalty.core.facts import PositionToken
from loyalty.core.times import DAY_SECONDS, HOUR_SECONDS, time_text
from loyalty.protocols.uniswap_v3.ledger import Ledger
from loyalty.service import Engine
from loyalty.state import chains, facts, pools
from loyalty.state.engine import State
from tools.evm.erc20 import DECIMALS
from tools.evm.node import Block, Node
from tools.evm.payer import Call
from tools.evm.pool import Pool
from tools.evm.position_manager import PositionManager
from tools.evm.uniswap import Uniswap, minted_token_ids

GENESIS_TIME = 1_700_000_000
START = 1_700_006_400
"""2023-11-15T00:00:00Z, the first midnight after the genesis block."""
CHAIN_ID = 31337

ALICE = Address("0x" + "a1" * 20)
BOB = Address("0x" + "b0" * 20)
CAROL = Address("0x" + "ca" * 20)
DAVE = Address("0x" + "da" * 20)
MALLORY = Address("0x" + "66" * 20)
TRADER = Address("0x" + "77" * 20)
EVERYONE = (ALICE, BOB, CAROL, DAVE, MALLORY, TRADER)


@dataclass
class Scene:
    """Two tokens with a pool, everyone funded, and the folder in which programs and databases are made."""

    uniswap: Uniswap
    pool: Pool
    start_block: int
    folder: Path
    managers: list[PositionManager] = field(default_factory=list)

    @property
    def middle(self) -> int:
        """The tick at which the pool begins: 1 ONE for about 1,800 TWO, whichever of them is token0."""
        return middle(decimals_of(self.node, self.pool.token0) == 18)

    def units(self, dollars: int) -> tuple[int, int]:
        """About so many dollars in each of token0 and token1, in their smallest units."""
        one, two = dollars * 10**18 // 1800, dollars * 10**6
        return (one, two) if self.middle < 0 else (two, one)

    def deposit(self, lower: int, upper: int, dollars: int, owner: Address, pool: Pool | None = None) -> Call:
        """A mint through the first manager on ticks counted from the middle, with at most `dollars` of each token."""
        manager, venue = self.uniswap.manager, pool or self.pool
        return manager.mint(owner, venue, self.middle + lower, self.middle + upper, *self.units(dollars))

    def mint(self, owner: Address, lower: int, upper: int, dollars: int, time: int | None = None) -> int:
        """The token id of a new position of `owner`, as `deposit` makes it."""
        block = self.uniswap.send(owner, self.deposit(lower, upper, dollars, owner), time=time)
        (token_id,) = minted_token_ids(self.uniswap.manager.address, block.receipts)
        return token_id

    def swap(self, tick: int, time: int | None = None) -> Block:
        """A swap that takes the price to this tick, counted from the middle."""
        limit = sqrt_ratio_at_tick(self.middle + tick)
        down = limit < self.uniswap.view(self.pool).slot0().sqrt_price_x96
        return self.uniswap.swap(TRADER, self.pool, down, 10**28, limit, time=time)

    @property
    def node(self) -> Node:
        return self.uniswap.node

    @property
    def now(self) -> int:
        return self.node.header().time

    def program(self, file_name: str = "program.toml", /, **replaced: str) -> Path:
        """The program file, with keys replaced by name; prices lie beside it."""
        write_prices(self.folder / "one.csv")
        path = self.folder / file_name
        path.write_text(program_text(self, replaced))
        return path

    @contextmanager
    def engine(
        self, database: str = "loyalty.db", *, program: Path | None = None, rpc: str | None = None
    ) -> Iterator[Engine]:
        """An engine that holds the worker lock, prepared; `rpc` stands in the place of the node."""
        with open_engine(program or self.program(), self.folder / database, rpc or self.node.url) as engine:
            engine.prepare()
            yield engine


@contextmanager
def open_engine(program: Path, database: Path, rpc: str) -> Iterator[Engine]:
    """An engine with the worker lock, whose chain is asked at `rpc`."""
    settings = load_settings(environment(program, database, rpc), None)
    with Engine.open(settings) as engine, engine.lock():
        yield engine


def catch_up(engine: Engine) -> None:
    """Every job once, as `loyalty index` runs them."""
    for chain in engine.program.chains:
        engine.index(chain.id)
        while engine.ask_shares(chain.id):
            pass
    engine.price()
    engine.accrue()
    engine.score()
    engine.settle()


def environment(program: Path, database: Path, rpc: str) -> dict[str, str]:
    """The variables of an installation."""
    return {
        "LOYALTY_PROGRAM": str(program),
        "LOYALTY_DATABASE": str(database),
        "LOYALTY_RPC_PLAY": rpc,
        "LOYALTY_BACKUP_FOLDER": str(database.parent / "backups"),
    }


def play(node: Node, folder: Path) -> Scene:
    """Contracts, tokens and the pool on a new node."""
    uniswap = Uniswap.deploy(node)
    tokens = [uniswap.create_token("ONE"), uniswap.create_token("TWO", 6)]
    start_block = node.header().number + 1
    price = sqrt_ratio_at_tick(middle(tokens[0] < tokens[1]))
    pool = uniswap.create_pool(tokens[0], tokens[1], 3000, price)
    transactions = [send for account in EVERYONE for send in uniswap.funding(account, tokens, 10**30)]
    node.mine([*transactions, *uniswap.funding(uniswap.payer, tokens, 10**30)])
    return Scene(uniswap, pool, start_block, folder, [uniswap.manager])


def write_prices(path: Path, days: int = 6) -> None:
    """The price of ONE each hour, never the same twice."""
    hours = range(START - DAY_SECONDS, START + days * DAY_SECONDS, HOUR_SECONDS)
    lines = [f"{hour},{hourly_price(hour)}" for hour in hours]
    path.write_text("\n".join(["time,usd", *lines]) + "\n")


def hourly_price(second: int) -> str:
    """USD per ONE."""
    hour = second // HOUR_SECONDS
    return f"{1_500 + hour * 7_919 % 1_000}.{hour % 100:02}"


def program_text(scene: Scene, replaced: Mapping[str, str]) -> str:
    """A program of three epochs of a day with one pool; `replaced` keys: see the names in the text."""
    managers = ", ".join(f'{{ address = "{each.address}", start_block = 0 }}' for each in scene.managers)
    values = {
        "name": "A program on a real node",
        "start": time_text(START),
        "epochs": "3",
        "chain_id": str(CHAIN_ID),
        "rpc": scene.node.url,
        "managers": managers,
        "pool": scene.pool.address,
        "start_block": str(scene.start_block),
        "one": _of_decimals(scene, 18),
        "two": _of_decimals(scene, 6),
        "two_decimals": "6",
        "exclusions": "",
        "count": "full",
        **replaced,
    }
    return _TEXT % values


def _of_decimals(scene: Scene, decimals: int) -> Address:
    tokens = scene.pool.token0, scene.pool.token1
    return next(token for token in tokens if decimals_of(scene.node, token) == decimals)


def decimals_of(node: Node, token: Address) -> int:
    return int(DECIMALS.answer(node.call(token, DECIMALS()))[0])


def middle(one_is_token0: bool) -> int:
    """1.0001 ** -201_360 is 1,800 * 10**6 / 10**18."""
    return -201_360 if one_is_token0 else 201_360


_TEXT = """
[program]
name = "%(name)s"
start = %(start)s
epochs = %(epochs)s
epoch = "1d"
settle_after = "1h"
count = "%(count)s"

[[rewards]]
token = "PAY"
total = "1000"

[[rewards]]
token = "TWO"
usd_share = { of = "PAY", fraction = "0.25" }

[[chains]]
name = "play"
id = %(chain_id)s
rpc = ["%(rpc)s"]
position_managers = [%(managers)s]

[[tokens]]
symbol = "ONE"
chain = "play"
address = "%(one)s"
decimals = 18
price = { file = "one.csv" }

[[tokens]]
symbol = "TWO"
chain = "play"
address = "%(two)s"
decimals = %(two_decimals)s
price = { fixed = "1" }

[[tokens]]
symbol = "PAY"
decimals = 18
price = { fixed = "0.5" }

[[pools]]
chain = "play"
protocol = "uniswap_v3"
address = "%(pool)s"
start_block = %(start_block)s
tokens = ["ONE", "TWO"]
%(exclusions)s
"""


def ledger_of(state: State) -> Ledger:
    """What the stored facts say of who holds what, and at which price."""
    with state.read() as connection:
        ledger = Ledger(chains.position_managers(connection, CHAIN_ID) or ())
        rows = pools.all_pools(connection, CHAIN_ID)
        for fact in facts.ledger_facts(connection, [row.id for row in rows]):
            ledger.apply(fact)
        for row in rows:
            if (price := facts.last_price(connection, row.id)) is not None:
                ledger.set_price(row.address, price)
    return ledger


def tokens_held(ledger: Ledger, pool: Address) -> dict[PositionToken, tuple[Address, int]]:
    """Owner and liquidity of each position token of the pool that holds any."""
    return {
        key.token: (key.owner, liquidity) for key, liquidity in ledger.positions(pool).items() if key.token is not None
    }


def everything(state: State) -> dict[str, list[tuple[object, ...]]]:
    """All rows that follow from the chain and the prices, without row ids and times of asking."""
    with state.read() as connection:
        return {
            name: sorted((tuple(row) for row in connection.exec_driver_sql(rows)), key=repr)
            for name, rows in _ROWS.items()
        }


_ROWS = {
    "swaps": "SELECT s.chain_id, block, log_index, p.address, time, sqrt_price_x96, tick, liquidity, amount0, amount1, "
    "hex(transaction_hash) FROM swaps s JOIN pools p ON p.id = pool_id",
    "liquidity": "SELECT c.chain_id, block, log_index, p.address, time, a.address, lower_tick, upper_tick, "
    "liquidity_delta, amount0, amount1, token_id, hex(transaction_hash) FROM liquidity_changes c "
    "JOIN pools p ON p.id = pool_id JOIN providers a ON a.id = owner_id",
    "transfers": "SELECT c.chain_id, block, log_index, p.address, time, m.address, token_id, s.address, r.address "
    "FROM position_transfers c JOIN pools p ON p.id = pool_id JOIN providers m ON m.id = manager_id "
    "JOIN providers s ON s.id = sender_id JOIN providers r ON r.id = recipient_id",
    "token_transfers": "SELECT c.chain_id, block, log_index, f.address, time, s.address, r.address, units, "
    "hex(transaction_hash) FROM token_transfers c JOIN followed_tokens f ON f.id = followed_token_id "
    "JOIN providers s ON s.id = sender_id JOIN providers r ON r.id = recipient_id",
    "prices": "SELECT symbol, valid_time, price, source FROM price_points JOIN tokens t ON t.id = token_id",
    "days": "SELECT p.address, day, status, reason FROM pool_days JOIN pools p ON p.id = pool_id",
    "daily": "SELECT a.address, p.address, day, usd_micro_days, usd_micro_days_in_range FROM daily_balances "
    "JOIN providers a ON a.id = provider_id JOIN pools p ON p.id = pool_id",
    "balances": "SELECT a.address, p.address, usd_micro, usd_micro_in_range FROM provider_balances "
    "JOIN providers a ON a.id = provider_id JOIN pools p ON p.id = pool_id",
    "epochs": "SELECT number, status, digest, providers, usd_micro_days FROM epochs",
    "rewards": "SELECT epoch, symbol, a.address, units FROM rewards JOIN tokens t ON t.id = token_id "
    "JOIN providers a ON a.id = provider_id",
}
