// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {LpToken, Token} from "./Token.sol";
import {StableSwapMath} from "./StableSwapMath.sol";

/// A pool of two coins that logs as the older StableSwap templates do: a separate LP token, arrays of two words, an
/// invariant before fees in AddLiquidity, three words in RemoveLiquidityOne, admin fees as what is held beyond balances.
contract StableSwapOld {
    event TokenExchange(
        address indexed buyer, int128 sold_id, uint256 tokens_sold, int128 bought_id, uint256 tokens_bought
    );
    event AddLiquidity(
        address indexed provider, uint256[2] token_amounts, uint256[2] fees, uint256 invariant, uint256 token_supply
    );
    event RemoveLiquidity(address indexed provider, uint256[2] token_amounts, uint256[2] fees, uint256 token_supply);
    event RemoveLiquidityOne(
        address indexed provider, uint256 token_amount, uint256 coin_amount, uint256 token_supply
    );
    event RemoveLiquidityImbalance(
        address indexed provider, uint256[2] token_amounts, uint256[2] fees, uint256 invariant, uint256 token_supply
    );

    uint256 private constant PRECISION = 1e18;
    uint256 private constant FEE_DENOMINATOR = 1e10;

    uint256 public immutable A;
    uint256 public immutable fee;
    uint256 public immutable admin_fee;
    address public immutable owner;
    LpToken public immutable lp_token;
    address[2] public coins;
    uint256[2] public balances;
    uint256[2] private rates;

    constructor(address[2] memory coins_, LpToken lp_token_, uint256 amplification, uint256 fee_, uint256 admin_fee_) {
        A = amplification;
        fee = fee_;
        admin_fee = admin_fee_;
        owner = msg.sender;
        lp_token = lp_token_;
        coins = coins_;
        rates = [10 ** (36 - Token(coins_[0]).decimals()), 10 ** (36 - Token(coins_[1]).decimals())];
    }

    // Views -----------------------------------------------------------------------------------------------------------

    function get_virtual_price() external view returns (uint256) {
        return (_invariant(balances) * PRECISION) / lp_token.totalSupply();
    }

    function admin_balances(uint256 i) public view returns (uint256) {
        return Token(coins[i]).balanceOf(address(this)) - balances[i];
    }

    // Liquidity -------------------------------------------------------------------------------------------------------

    function add_liquidity(uint256[2] memory amounts, uint256 min_mint_amount) external returns (uint256 minted) {
        uint256[2] memory old = balances;
        uint256[2] memory grown = [old[0] + amounts[0], old[1] + amounts[1]];
        uint256[2] memory fees;
        uint256 logged = _invariant(grown);
        uint256 supply = lp_token.totalSupply();
        if (supply == 0) {
            require(amounts[0] > 0 && amounts[1] > 0, "the first deposit needs all coins");
            balances = grown;
            minted = logged;
        } else {
            uint256 before = _invariant(old);
            fees = _charge(old, grown, before);
            minted = (supply * (_invariant(grown) - before)) / before;
        }
        require(minted > 0 && minted >= min_mint_amount, "slippage");
        _takeIn(0, amounts[0]);
        _takeIn(1, amounts[1]);
        lp_token.mint(msg.sender, minted);
        emit AddLiquidity(msg.sender, amounts, fees, logged, supply + minted);
    }

    function remove_liquidity(uint256 burn_amount, uint256[2] memory min_amounts)
        external
        returns (uint256[2] memory amounts)
    {
        uint256 supply = lp_token.totalSupply();
        for (uint256 i = 0; i < 2; i++) {
            amounts[i] = (balances[i] * burn_amount) / supply;
            require(amounts[i] >= min_amounts[i], "slippage");
            balances[i] -= amounts[i];
            _payOut(i, amounts[i]);
        }
        lp_token.burnFrom(msg.sender, burn_amount);
        uint256[2] memory fees;
        emit RemoveLiquidity(msg.sender, amounts, fees, supply - burn_amount);
    }

    function remove_liquidity_imbalance(uint256[2] memory amounts, uint256 max_burn_amount)
        external
        returns (uint256 burned)
    {
        uint256[2] memory old = balances;
        uint256[2] memory left = [old[0] - amounts[0], old[1] - amounts[1]];
        uint256 before = _invariant(old);
        uint256 logged = _invariant(left);
        uint256[2] memory fees = _charge(old, left, before);
        uint256 supply = lp_token.totalSupply();
        burned = ((before - _invariant(left)) * supply) / before + 1;
        require(burned > 1 && burned <= max_burn_amount, "slippage");
        lp_token.burnFrom(msg.sender, burned);
        _payOut(0, amounts[0]);
        _payOut(1, amounts[1]);
        emit RemoveLiquidityImbalance(msg.sender, amounts, fees, logged, supply - burned);
    }

    function remove_liquidity_one_coin(uint256 burn_amount, int128 i, uint256 min_amount)
        external
        returns (uint256 received)
    {
        uint256 coin = uint256(uint128(i));
        uint256 supply = lp_token.totalSupply();
        uint256 charged;
        (received, charged) = _oneCoin(burn_amount, coin, supply);
        require(received >= min_amount, "slippage");
        balances[coin] -= received + (charged * admin_fee) / FEE_DENOMINATOR;
        lp_token.burnFrom(msg.sender, burn_amount);
        _payOut(coin, received);
        emit RemoveLiquidityOne(msg.sender, burn_amount, received, supply - burn_amount);
    }

    // Exchange --------------------------------------------------------------------------------------------------------

    function exchange(int128 i, int128 j, uint256 dx, uint256 min_dy) external returns (uint256 dy) {
        require(i != j && dx > 0, "nothing to exchange");
        dy = _swap(uint256(uint128(i)), uint256(uint128(j)), dx);
        require(dy >= min_dy, "slippage");
        _takeIn(uint256(uint128(i)), dx);
        _payOut(uint256(uint128(j)), dy);
        emit TokenExchange(msg.sender, i, dx, j, dy);
    }

    function withdraw_admin_fees() external {
        require(msg.sender == owner, "not the owner");
        _payOut(0, admin_balances(0));
        _payOut(1, admin_balances(1));
    }

    // Inside ----------------------------------------------------------------------------------------------------------

    /// Takes the fee out of `fresh`, which is left as what counts for LP tokens, and stores what the pool counts.
    function _charge(uint256[2] memory old, uint256[2] memory fresh, uint256 before)
        private
        returns (uint256[2] memory fees)
    {
        uint256 d = _invariant(fresh);
        for (uint256 i = 0; i < 2; i++) {
            uint256 ideal = (d * old[i]) / before;
            fees[i] = ((fee / 2) * (ideal > fresh[i] ? ideal - fresh[i] : fresh[i] - ideal)) / FEE_DENOMINATOR;
            balances[i] = fresh[i] - (fees[i] * admin_fee) / FEE_DENOMINATOR;
            fresh[i] -= fees[i];
        }
    }

    function _oneCoin(uint256 burn_amount, uint256 coin, uint256 supply)
        private
        view
        returns (uint256 received, uint256 charged)
    {
        uint256[] memory xp = _scaled(balances);
        uint256 before = StableSwapMath.invariant(xp, A);
        uint256 d = before - (burn_amount * before) / supply;
        uint256 withoutFee = StableSwapMath.balanceAt(coin, xp, A, d);
        uint256 held = xp[coin];
        for (uint256 k = 0; k < 2; k++) {
            uint256 share = (xp[k] * d) / before;
            uint256 moved = k == coin ? share - withoutFee : xp[k] - share;
            xp[k] -= ((fee / 2) * moved) / FEE_DENOMINATOR;
        }
        received = xp[coin] - StableSwapMath.balanceAt(coin, xp, A, d) - 1;
        charged = ((held - withoutFee - received) * PRECISION) / rates[coin];
        received = (received * PRECISION) / rates[coin];
    }

    function _swap(uint256 i, uint256 j, uint256 dx) private returns (uint256 dy) {
        uint256[] memory xp = _scaled(balances);
        uint256 d = StableSwapMath.invariant(xp, A);
        xp[i] += (dx * rates[i]) / PRECISION;
        dy = xp[j] - StableSwapMath.balanceAt(j, xp, A, d) - 1;
        uint256 charged = (dy * fee) / FEE_DENOMINATOR;
        dy = ((dy - charged) * PRECISION) / rates[j];
        balances[i] += dx;
        balances[j] -= dy + (((charged * admin_fee) / FEE_DENOMINATOR) * PRECISION) / rates[j];
    }

    function _takeIn(uint256 i, uint256 amount) private {
        if (amount > 0) {
            require(Token(coins[i]).transferFrom(msg.sender, address(this), amount), "no transfer");
        }
    }

    function _payOut(uint256 i, uint256 amount) private {
        if (amount > 0) {
            require(Token(coins[i]).transfer(msg.sender, amount), "no transfer");
        }
    }

    function _scaled(uint256[2] memory held) private view returns (uint256[] memory xp) {
        xp = new uint256[](2);
        xp[0] = (held[0] * rates[0]) / PRECISION;
        xp[1] = (held[1] * rates[1]) / PRECISION;
    }

    function _invariant(uint256[2] memory held) private view returns (uint256) {
        return StableSwapMath.invariant(_scaled(held), A);
    }
}
