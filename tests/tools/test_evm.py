"""The node and the contracts themselves: what is done to them is what their own views say."""

from typing import NamedTuple

import pytest
from eth_utils.crypto import keccak

from loyalty.accrual.tick_math import sqrt_ratio_at_tick
from loyalty.core.address import Address
from tools.evm import erc20, payer
from tools.evm.assembler import assemble
from tools.evm.node import Node, RevertedError, Transaction
from tools.evm.pool import Pool, PoolView
from tools.evm.uniswap import DEPLOYER, Uniswap, minted_token_ids

ALICE = Address("0x" + "a1" * 20)
BOB = Address("0x" + "b0" * 20)
PRICE_ONE = 2**96
UNIT = 10**18
MINT_TOPIC = "0x" + keccak(text="Mint(address,address,int24,int24,uint128,uint256,uint256)").hex()


class Scene(NamedTuple):
    uniswap: Uniswap
    pool: Pool
    view: PoolView
    node: Node


@pytest.fixture
def scene(uniswap: Uniswap) -> Scene:
    """A pool at price 1, and Alice and Bob with tokens enough."""
    tokens = [uniswap.create_token("ONE"), uniswap.create_token("TWO")]
    pool = uniswap.create_pool(tokens[0], tokens[1], 3000, PRICE_ONE)
    for account in (ALICE, BOB, uniswap.payer):
        uniswap.fund(account, tokens)
    return Scene(uniswap, pool, uniswap.view(pool), uniswap.node)


def test_a_new_pool_has_the_price_and_spacing_asked_for(scene: Scene) -> None:
    assert scene.view.slot0() == (PRICE_ONE, 0)
    assert scene.pool.tick_spacing == 60
    assert scene.pool.token0 < scene.pool.token1


def test_a_minted_position_belongs_to_its_minter_and_counts_in_the_pool(scene: Scene) -> None:
    token_id = scene.uniswap.mint(ALICE, scene.pool, -60, 60, UNIT, UNIT)

    position = scene.uniswap.manager.position(scene.node, token_id)
    assert token_id == 1
    assert scene.uniswap.manager.owner_of(scene.node, token_id) == ALICE
    assert position[:5] == (scene.pool.token0, scene.pool.token1, 3000, -60, 60)
    assert scene.view.liquidity() == position.liquidity
    assert scene.view.position_liquidity(scene.uniswap.manager.address, -60, 60) == position.liquidity


def test_a_swap_moves_the_price_and_tells_it_in_its_log(scene: Scene) -> None:
    scene.uniswap.mint(ALICE, scene.pool, -6000, 6000, 1000 * UNIT, 1000 * UNIT)

    block = scene.uniswap.swap(BOB, scene.pool, True, UNIT)

    swap = next(log for log in block.receipts[0]["logs"] if log["address"] == scene.pool.address)
    words = [int(swap["data"][2 + 64 * n : 66 + 64 * n], 16) for n in range(5)]
    assert words[0] == UNIT
    assert words[2] == scene.view.slot0().sqrt_price_x96 < PRICE_ONE
    assert words[3] == scene.view.liquidity()


def test_a_swap_stops_at_its_limit_with_the_tick_below_it(scene: Scene) -> None:
    scene.uniswap.mint(ALICE, scene.pool, -120, 120, UNIT, UNIT)

    scene.uniswap.swap(BOB, scene.pool, True, 10 * UNIT, sqrt_ratio_at_tick(-120))

    assert scene.view.slot0() == (sqrt_ratio_at_tick(-120), -121)


def test_seconds_inside_are_those_between_two_swaps(scene: Scene) -> None:
    start = scene.node.header().time + 100
    scene.uniswap.mint(ALICE, scene.pool, -60000, 60000, 100 * UNIT, 100 * UNIT, time=start)
    scene.uniswap.mint(ALICE, scene.pool, -60, 60, UNIT, UNIT, time=start + 10)
    before = scene.view.seconds_inside(-60, 60)
    scene.uniswap.swap(BOB, scene.pool, False, 10**6 * UNIT, sqrt_ratio_at_tick(120), time=start + 17)
    scene.node.mine_at(start + 1000)
    scene.uniswap.swap(BOB, scene.pool, True, 10**6 * UNIT, PRICE_ONE, time=start + 1005)
    scene.node.mine_at(start + 1020)

    assert scene.view.seconds_inside(-60, 60) - before == 7 + 15


def test_increase_decrease_collect_transfer_and_burn_do_what_they_say(scene: Scene) -> None:
    manager, node = scene.uniswap.manager, scene.node
    token_id = scene.uniswap.mint(ALICE, scene.pool, -600, 600, UNIT, UNIT)
    first = manager.position(node, token_id).liquidity

    scene.uniswap.increase(BOB, token_id, UNIT, UNIT)
    assert manager.position(node, token_id).liquidity == 2 * first
    scene.uniswap.decrease(ALICE, token_id, first)
    assert manager.position(node, token_id).liquidity == first
    scene.uniswap.collect(ALICE, token_id)
    scene.uniswap.transfer_nft(ALICE, BOB, token_id)
    assert manager.owner_of(node, token_id) == BOB
    scene.uniswap.burn_token(BOB, token_id)
    assert int(manager.owner_or_nobody(node, token_id), 16) == 0
    assert scene.view.liquidity() == 0


def test_direct_liquidity_belongs_to_its_recipient_and_comes_back_in_tokens(scene: Scene) -> None:
    scene.uniswap.direct_mint(ALICE, scene.pool, -60, 60, 10**20)
    balance_of = erc20.BALANCE_OF
    before = balance_of.answer(scene.node.call(scene.pool.token0, balance_of(ALICE)))[0]

    assert scene.view.position_liquidity(ALICE, -60, 60) == scene.view.liquidity() == 10**20
    scene.uniswap.direct_burn(ALICE, scene.pool, -60, 60, 10**20)
    assert scene.view.liquidity() == 0
    # 1e20 * (1 - 1.0001**-30), rounded down
    assert balance_of.answer(scene.node.call(scene.pool.token0, balance_of(ALICE)))[0] - before == 299535495591078093


def test_dust_can_be_minted_for_the_manager_beside_a_worthless_position(scene: Scene) -> None:
    """The forged-token attack is possible here: the same liquidity, one transaction, neighbouring logs."""
    uniswap = scene.uniswap
    fakes = [uniswap.create_token("FAKE"), uniswap.create_token("SHAM")]
    worthless = uniswap.create_pool(fakes[0], fakes[1], 3000, PRICE_ONE)
    uniswap.fund(uniswap.payer, fakes)

    block = uniswap.pay(
        ALICE,
        scene.pool.direct_mint(uniswap.manager.address, -60, 60, 10**18),
        uniswap.manager.mint(ALICE, worthless, -60, 60, 10**16, 10**16),
    )

    mints = [log for log in block.receipts[0]["logs"] if log["topics"][0] == MINT_TOPIC]
    assert [log["address"] for log in mints] == [scene.pool.address, worthless.address]
    assert {log["topics"][1][-40:] for log in mints} == {uniswap.manager.address[2:]}
    (token_id,) = minted_token_ids(uniswap.manager.address, block.receipts)
    assert uniswap.manager.position(scene.node, token_id).token0 == worthless.token0


def test_a_payer_makes_all_calls_or_none(scene: Scene) -> None:
    calls = [scene.pool.direct_mint(BOB, -60, 60, 10**18), scene.pool.burn(-60, 60, 1)]

    with pytest.raises(RevertedError):
        scene.uniswap.pay(ALICE, *calls)

    assert scene.view.liquidity() == 0


def test_a_failing_transaction_is_told_with_its_reason(scene: Scene) -> None:
    token_id = scene.uniswap.mint(ALICE, scene.pool, -60, 60, UNIT, UNIT)

    with pytest.raises(RevertedError, match=r"transaction 0 of block .* failed: .*Not approved"):
        scene.uniswap.decrease(BOB, token_id, 1)


def test_a_token_of_six_decimals_says_so(uniswap: Uniswap) -> None:
    token = uniswap.create_token("USDC", 6)

    assert erc20.DECIMALS.answer(uniswap.node.call(token, erc20.DECIMALS())) == (6,)


def test_a_block_holds_its_transactions_in_order_at_the_time_asked_for(scene: Scene) -> None:
    time = scene.node.header().time + 3600
    mints = [scene.uniswap.manager.mint(who, scene.pool, -60, 60, UNIT, UNIT) for who in (BOB, ALICE, BOB)]

    block = scene.node.mine(
        [Transaction(who, call.to, call.data) for who, call in zip((BOB, ALICE, BOB), mints, strict=True)], time
    )

    assert block.header.time == time
    assert [receipt["from"] for receipt in block.receipts] == [BOB, ALICE, BOB]
    assert minted_token_ids(scene.uniswap.manager.address, block.receipts) == [1, 2, 3]


def test_a_snapshot_takes_the_chain_back(scene: Scene) -> None:
    before = scene.node.header()
    name = scene.node.snapshot()
    scene.uniswap.mint(ALICE, scene.pool, -60, 60, UNIT, UNIT)

    scene.node.revert(name)

    assert scene.node.header() == before
    assert scene.view.liquidity() == 0


def test_the_same_deeds_at_the_same_times_give_the_same_hashes() -> None:
    def play() -> str:
        with Node(1_600_000_000) as node:
            uniswap = Uniswap.deploy(node)
            pool = uniswap.create_pool(uniswap.create_token("ONE"), uniswap.create_token("TWO"), 500, PRICE_ONE)
            uniswap.fund(ALICE, pool[1:3])
            return uniswap.send(ALICE, uniswap.manager.mint(ALICE, pool, -10, 10, UNIT, UNIT)).header.hash

    assert play() == play()


def test_the_assembler_knows_pushes_places_and_jumps() -> None:
    assert assemble("0x0102 7 @end JUMP\nend: STOP ; nothing").hex() == "6101026007610009565b00"
    assert len(payer.creation_code()) < 300


def test_everything_is_deployed_at_addresses_that_do_not_change(uniswap: Uniswap) -> None:
    assert uniswap.factory == "0x" + keccak(bytes.fromhex("d694" + DEPLOYER[2:] + "80")).hex()[-40:]
