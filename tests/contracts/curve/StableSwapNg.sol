// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {Token} from "./Token.sol";
import {StableSwapMath} from "./StableSwapMath.sol";

/// A pool that logs as StableSwap-NG does: it is its own LP token, arrays have any length, the supply in each event is
/// the one after it, the invariant the one after fees, RemoveLiquidity has no fees, admin fees stay until withdrawn.
contract StableSwapNg is Token {
    event TokenExchange(
        address indexed buyer, int128 sold_id, uint256 tokens_sold, int128 bought_id, uint256 tokens_bought
    );
    event AddLiquidity(
        address indexed provider, uint256[] token_amounts, uint256[] fees, uint256 invariant, uint256 token_supply
    );
    event RemoveLiquidity(address indexed provider, uint256[] token_amounts, uint256[] fees, uint256 token_supply);
    event RemoveLiquidityOne(
        address indexed provider, int128 token_id, uint256 token_amount, uint256 coin_amount, uint256 token_supply
    );
    event RemoveLiquidityImbalance(
        address indexed provider, uint256[] token_amounts, uint256[] fees, uint256 invariant, uint256 token_supply
    );

    uint256 private constant PRECISION = 1e18;
    uint256 private constant FEE_DENOMINATOR = 1e10;
    uint256 public constant admin_fee = 5e9;

    uint256 public immutable A;
    uint256 public immutable fee;
    address public immutable fee_receiver;
    address[] public coins;
    uint256[] public admin_balances;
    uint256[] private rates;
    uint256[] private stored;
    bool private entered;

    modifier lock() {
        require(!entered, "locked");
        entered = true;
        _;
        entered = false;
    }

    constructor(address[] memory coins_, uint256 amplification, uint256 fee_, address fee_receiver_)
        Token("Curve NG test pool", "crvNG", 18)
    {
        require(coins_.length >= 2 && coins_.length <= 8, "2 to 8 coins");
        A = amplification;
        fee = fee_;
        fee_receiver = fee_receiver_;
        for (uint256 i = 0; i < coins_.length; i++) {
            coins.push(coins_[i]);
            rates.push(10 ** (36 - Token(coins_[i]).decimals()));
            stored.push(0);
            admin_balances.push(0);
        }
        emit Transfer(address(0), msg.sender, 0);
    }

    // Views -----------------------------------------------------------------------------------------------------------

    function N_COINS() external view returns (uint256) {
        return coins.length;
    }

    function balances(uint256 i) external view returns (uint256) {
        return stored[i] - admin_balances[i];
    }

    function get_virtual_price() external view returns (uint256) {
        return (_invariant(_balances()) * PRECISION) / totalSupply;
    }

    // Liquidity -------------------------------------------------------------------------------------------------------

    function add_liquidity(uint256[] memory amounts, uint256 min_mint_amount, address receiver)
        external
        lock
        returns (uint256 minted)
    {
        require(receiver != address(0), "LP tokens to nobody");
        uint256[] memory fees;
        uint256 d;
        (minted, fees, d) = _deposit(amounts);
        require(minted >= min_mint_amount, "slippage");
        _mint(receiver, minted);
        emit AddLiquidity(msg.sender, amounts, fees, d, totalSupply);
    }

    function remove_liquidity(uint256 burn_amount, uint256[] memory min_amounts, address receiver, bool claim_fees)
        external
        lock
        returns (uint256[] memory amounts)
    {
        require(burn_amount > 0, "nothing to burn");
        amounts = _balances();
        for (uint256 i = 0; i < amounts.length; i++) {
            amounts[i] = (amounts[i] * burn_amount) / totalSupply;
            require(amounts[i] >= min_amounts[i], "slippage");
            _payOut(i, amounts[i], receiver);
        }
        _burn(msg.sender, burn_amount);
        emit RemoveLiquidity(msg.sender, amounts, new uint256[](0), totalSupply);
        if (claim_fees) {
            _withdrawAdminFees();
        }
    }

    function remove_liquidity_one_coin(uint256 burn_amount, int128 i, uint256 min_received, address receiver)
        external
        lock
        returns (uint256 received)
    {
        require(burn_amount > 0, "nothing to burn");
        uint256 coin = uint256(uint128(i));
        uint256 charged;
        (received, charged) = _oneCoin(burn_amount, coin);
        require(received >= min_received, "slippage");
        admin_balances[coin] += (charged * admin_fee) / FEE_DENOMINATOR;
        _burn(msg.sender, burn_amount);
        _payOut(coin, received, receiver);
        emit RemoveLiquidityOne(msg.sender, i, burn_amount, received, totalSupply);
    }

    function remove_liquidity_imbalance(uint256[] memory amounts, uint256 max_burn_amount, address receiver)
        external
        lock
        returns (uint256 burned)
    {
        uint256[] memory old = _balances();
        uint256 before = _invariant(old);
        uint256[] memory left = new uint256[](old.length);
        for (uint256 i = 0; i < old.length; i++) {
            left[i] = old[i] - amounts[i];
            _payOut(i, amounts[i], receiver);
        }
        (uint256[] memory fees, uint256 d) = _charge(old, left, before);
        burned = ((before - d) * totalSupply) / before + 1;
        require(burned > 1 && burned <= max_burn_amount, "slippage");
        _burn(msg.sender, burned);
        emit RemoveLiquidityImbalance(msg.sender, amounts, fees, d, totalSupply);
    }

    // Exchange --------------------------------------------------------------------------------------------------------

    function exchange(int128 i, int128 j, uint256 dx, uint256 min_dy, address receiver)
        external
        lock
        returns (uint256 dy)
    {
        require(i != j && dx > 0, "nothing to exchange");
        dy = _swap(uint256(uint128(i)), uint256(uint128(j)), dx);
        require(dy >= min_dy, "slippage");
        _takeIn(uint256(uint128(i)), dx);
        _payOut(uint256(uint128(j)), dy, receiver);
        emit TokenExchange(msg.sender, i, dx, j, dy);
    }

    function withdraw_admin_fees() external lock {
        _withdrawAdminFees();
    }

    // Inside ----------------------------------------------------------------------------------------------------------

    function _deposit(uint256[] memory amounts) private returns (uint256 minted, uint256[] memory fees, uint256 d) {
        uint256[] memory old = _balances();
        uint256 before = _invariant(old);
        uint256[] memory grown = new uint256[](old.length);
        for (uint256 i = 0; i < old.length; i++) {
            require(amounts[i] > 0 || totalSupply > 0, "the first deposit needs all coins");
            grown[i] = old[i] + amounts[i];
            _takeIn(i, amounts[i]);
        }
        if (totalSupply == 0) {
            d = _invariant(grown);
            return (d, new uint256[](0), d);
        }
        (fees, d) = _charge(old, grown, before);
        require(d > before, "nothing was added");
        minted = (totalSupply * (d - before)) / before;
    }

    /// Takes the fee on what moves the balances away from their proportions; the invariant left for the LP tokens.
    function _charge(uint256[] memory old, uint256[] memory fresh, uint256 before)
        private
        returns (uint256[] memory fees, uint256 d)
    {
        uint256 n = old.length;
        uint256 rate = (fee * n) / (4 * (n - 1));
        d = _invariant(fresh);
        fees = new uint256[](n);
        for (uint256 i = 0; i < n; i++) {
            uint256 ideal = (d * old[i]) / before;
            fees[i] = (rate * (ideal > fresh[i] ? ideal - fresh[i] : fresh[i] - ideal)) / FEE_DENOMINATOR;
            admin_balances[i] += (fees[i] * admin_fee) / FEE_DENOMINATOR;
        }
        for (uint256 i = 0; i < n; i++) {
            fresh[i] -= fees[i];
        }
        d = _invariant(fresh);
    }

    function _oneCoin(uint256 burn_amount, uint256 coin) private view returns (uint256 received, uint256 charged) {
        uint256[] memory xp = _scaled(_balances());
        uint256 n = xp.length;
        uint256 before = StableSwapMath.invariant(xp, A);
        uint256 d = before - (burn_amount * before) / totalSupply;
        uint256 withoutFee = StableSwapMath.balanceAt(coin, xp, A, d);
        uint256 held = xp[coin];
        uint256 rate = (fee * n) / (4 * (n - 1));
        for (uint256 k = 0; k < n; k++) {
            uint256 share = (xp[k] * d) / before;
            uint256 moved = k == coin ? share - withoutFee : xp[k] - share;
            xp[k] -= (rate * moved) / FEE_DENOMINATOR;
        }
        received = xp[coin] - StableSwapMath.balanceAt(coin, xp, A, d) - 1;
        charged = ((held - withoutFee - received) * PRECISION) / rates[coin];
        received = (received * PRECISION) / rates[coin];
    }

    function _swap(uint256 i, uint256 j, uint256 dx) private returns (uint256 dy) {
        uint256[] memory xp = _scaled(_balances());
        uint256 d = StableSwapMath.invariant(xp, A);
        xp[i] += (dx * rates[i]) / PRECISION;
        dy = xp[j] - StableSwapMath.balanceAt(j, xp, A, d) - 1;
        uint256 charged = (dy * fee) / FEE_DENOMINATOR;
        dy = ((dy - charged) * PRECISION) / rates[j];
        admin_balances[j] += (((charged * admin_fee) / FEE_DENOMINATOR) * PRECISION) / rates[j];
    }

    function _withdrawAdminFees() private {
        if (fee_receiver == address(0)) {
            return;
        }
        for (uint256 i = 0; i < coins.length; i++) {
            uint256 amount = admin_balances[i];
            admin_balances[i] = 0;
            _payOut(i, amount, fee_receiver);
        }
    }

    function _takeIn(uint256 i, uint256 amount) private {
        if (amount > 0) {
            stored[i] += amount;
            require(Token(coins[i]).transferFrom(msg.sender, address(this), amount), "no transfer");
        }
    }

    function _payOut(uint256 i, uint256 amount, address receiver) private {
        if (amount > 0) {
            stored[i] -= amount;
            require(Token(coins[i]).transfer(receiver, amount), "no transfer");
        }
    }

    function _balances() private view returns (uint256[] memory held) {
        held = new uint256[](coins.length);
        for (uint256 i = 0; i < held.length; i++) {
            held[i] = stored[i] - admin_balances[i];
        }
    }

    function _scaled(uint256[] memory held) private view returns (uint256[] memory xp) {
        xp = new uint256[](held.length);
        for (uint256 i = 0; i < held.length; i++) {
            xp[i] = (held[i] * rates[i]) / PRECISION;
        }
    }

    function _invariant(uint256[] memory held) private view returns (uint256) {
        return StableSwapMath.invariant(_scaled(held), A);
    }
}
