// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {IToken, Share} from "./Share.sol";

/// Takes a token (a gauge's, an LP token) and gives one receipt for each. Tokens sent to it plainly are nobody's.
contract ShareStaker is Share {
    IToken public immutable staked;

    constructor(IToken staked_, string memory name_, string memory symbol_) Share(name_, symbol_) {
        staked = staked_;
    }

    function stake(uint256 value, address receiver) external {
        require(staked.transferFrom(msg.sender, address(this), value), "no transfer");
        _mint(receiver, value);
    }

    function unstake(uint256 value, address receiver) external {
        _burn(msg.sender, value);
        require(staked.transfer(receiver, value), "no transfer");
    }
}
