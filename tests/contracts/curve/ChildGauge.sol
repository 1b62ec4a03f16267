// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {Token} from "./Token.sol";

/// A gauge as a child gauge logs: an ERC-20, one token for each LP token, Deposit and Withdraw each followed by a
/// Transfer. `provider` is who is credited. LP tokens sent to it by a plain transfer are nobody's.
contract ChildGauge is Token {
    event Deposit(address indexed provider, uint256 value);
    event Withdraw(address indexed provider, uint256 value);

    Token public immutable lp_token;

    constructor(Token lp_token_) Token("Curve gauge", "crv-gauge", 18) {
        lp_token = lp_token_;
    }

    function deposit(uint256 value, address receiver) external {
        totalSupply += value;
        balanceOf[receiver] += value;
        if (value > 0) {
            require(lp_token.transferFrom(msg.sender, address(this), value), "no transfer");
        }
        emit Deposit(receiver, value);
        emit Transfer(address(0), receiver, value);
    }

    function withdraw(uint256 value) external {
        totalSupply -= value;
        balanceOf[msg.sender] -= value;
        if (value > 0) {
            require(lp_token.transfer(msg.sender, value), "no transfer");
        }
        emit Withdraw(msg.sender, value);
        emit Transfer(msg.sender, address(0), value);
    }
}

/// The first kind of gauge: no token, only Deposit and Withdraw.
contract FirstGauge {
    event Deposit(address indexed provider, uint256 value);
    event Withdraw(address indexed provider, uint256 value);

    Token public immutable lp_token;
    uint256 public totalSupply;
    mapping(address => uint256) public balanceOf;

    constructor(Token lp_token_) {
        lp_token = lp_token_;
    }

    function deposit(uint256 value, address receiver) external {
        if (value > 0) {
            totalSupply += value;
            balanceOf[receiver] += value;
            require(lp_token.transferFrom(msg.sender, address(this), value), "no transfer");
        }
        emit Deposit(receiver, value);
    }

    function withdraw(uint256 value) external {
        totalSupply -= value;
        balanceOf[msg.sender] -= value;
        require(lp_token.transfer(msg.sender, value), "no transfer");
        emit Withdraw(msg.sender, value);
    }
}
