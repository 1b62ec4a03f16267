// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// An ERC-20 as Curve's own tokens are: a transfer to the zero address is allowed, and the supply does not notice it.
abstract contract Token {
    event Transfer(address indexed sender, address indexed receiver, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    string public name;
    string public symbol;
    uint8 public immutable decimals;
    uint256 public totalSupply;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    constructor(string memory name_, string memory symbol_, uint8 decimals_) {
        name = name_;
        symbol = symbol_;
        decimals = decimals_;
    }

    function approve(address spender, uint256 value) external returns (bool) {
        allowance[msg.sender][spender] = value;
        emit Approval(msg.sender, spender, value);
        return true;
    }

    function transfer(address receiver, uint256 value) external returns (bool) {
        _transfer(msg.sender, receiver, value);
        return true;
    }

    function transferFrom(address sender, address receiver, uint256 value) external returns (bool) {
        uint256 allowed = allowance[sender][msg.sender];
        if (allowed != type(uint256).max) {
            allowance[sender][msg.sender] = allowed - value;
        }
        _transfer(sender, receiver, value);
        return true;
    }

    function _transfer(address sender, address receiver, uint256 value) internal virtual {
        balanceOf[sender] -= value;
        balanceOf[receiver] += value;
        emit Transfer(sender, receiver, value);
    }

    function _mint(address receiver, uint256 value) internal {
        totalSupply += value;
        balanceOf[receiver] += value;
        emit Transfer(address(0), receiver, value);
    }

    function _burn(address holder, uint256 value) internal {
        balanceOf[holder] -= value;
        totalSupply -= value;
        emit Transfer(holder, address(0), value);
    }
}

/// A coin that anyone can mint.
contract Coin is Token {
    constructor(string memory name_, string memory symbol_, uint8 decimals_) Token(name_, symbol_, decimals_) {}

    function mint(address receiver, uint256 value) external {
        _mint(receiver, value);
    }
}

/// The separate LP token of older pools: its minter is the pool.
contract LpToken is Token {
    address public minter;

    constructor(string memory name_, string memory symbol_) Token(name_, symbol_, 18) {
        minter = msg.sender;
    }

    function set_minter(address minter_) external {
        require(msg.sender == minter, "not the minter");
        minter = minter_;
    }

    function mint(address receiver, uint256 value) external returns (bool) {
        require(msg.sender == minter, "not the minter");
        _mint(receiver, value);
        return true;
    }

    function burnFrom(address holder, uint256 value) external returns (bool) {
        require(msg.sender == minter, "not the minter");
        _burn(holder, value);
        return true;
    }
}
