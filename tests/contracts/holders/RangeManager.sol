// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {IToken, Share} from "./Share.sol";

interface IPool {
    function token0() external view returns (address);
    function token1() external view returns (address);
    function positions(bytes32 key) external view returns (uint128, uint256, uint256, uint128, uint128);
    function mint(address owner, int24 lower, int24 upper, uint128 liquidity, bytes calldata payer)
        external
        returns (uint256, uint256);
    function burn(int24 lower, int24 upper, uint128 liquidity) external returns (uint256, uint256);
    function collect(address to, int24 lower, int24 upper, uint128 amount0, uint128 amount1)
        external
        returns (uint128, uint128);
}

/// Owns one range of a Uniswap V3 pool directly, for the holders of its shares. Liquidity that was donated, or left while
/// nobody has shares, belongs to whoever comes next.
contract RangeManager is Share {
    IPool public immutable pool;
    address public immutable keeper;
    int24 public lower;
    int24 public upper;

    constructor(IPool pool_, int24 lower_, int24 upper_) Share("Managed range", "range") {
        pool = pool_;
        keeper = msg.sender;
        lower = lower_;
        upper = upper_;
    }

    function liquidity() public view returns (uint128 held) {
        (held,,,,) = pool.positions(keccak256(abi.encodePacked(address(this), lower, upper)));
    }

    /// Liquidity paid by the sender; `receiver` gets shares in proportion.
    function deposit(uint128 added, address receiver) external returns (uint256 shares) {
        uint256 before = liquidity();
        shares = totalSupply == 0 || before == 0 ? added : added * totalSupply / before;
        donate(added);
        _mint(receiver, shares);
    }

    /// Liquidity paid by the sender, for nobody in particular.
    function donate(uint128 added) public {
        pool.mint(address(this), lower, upper, added, abi.encode(msg.sender));
    }

    /// The sender's part of the liquidity; fees stay until the range moves.
    function withdraw(uint256 shares, address receiver) external {
        uint128 removed = uint128(liquidity() * shares / totalSupply);
        _burn(msg.sender, shares);
        (uint256 amount0, uint256 amount1) = pool.burn(lower, upper, removed);
        pool.collect(receiver, lower, upper, uint128(amount0), uint128(amount1));
    }

    /// Everything out of the old range and so much liquidity into the new one; the keeper pays what is missing.
    function rebalance(int24 lower_, int24 upper_, uint128 added) external {
        require(msg.sender == keeper, "not the keeper");
        pool.burn(lower, upper, liquidity());
        pool.collect(address(this), lower, upper, type(uint128).max, type(uint128).max);
        lower = lower_;
        upper = upper_;
        if (added > 0) donate(added);
    }

    function uniswapV3MintCallback(uint256 amount0, uint256 amount1, bytes calldata payer) external {
        require(msg.sender == address(pool), "not the pool");
        address from = abi.decode(payer, (address));
        _pay(IToken(pool.token0()), from, amount0);
        _pay(IToken(pool.token1()), from, amount1);
    }

    /// The keeper spends what the manager has first.
    function _pay(IToken token, address from, uint256 amount) private {
        uint256 own = from == keeper ? token.balanceOf(address(this)) : 0;
        if (own > amount) own = amount;
        if (own > 0) token.transfer(msg.sender, own);
        if (amount > own) token.transferFrom(from, msg.sender, amount - own);
    }
}
