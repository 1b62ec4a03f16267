// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

interface IPositions {
    function transferFrom(address from, address to, uint256 tokenId) external;
    function safeTransferFrom(address from, address to, uint256 tokenId) external;
}

/// Holds position NFTs for their depositors, with the event of Uniswap's staker. Who sends one safely is its depositor,
/// and so is who lets it be taken by `stake`; one that comes by a plain transfer has none.
contract NftStaker {
    IPositions public immutable positions;
    mapping(uint256 => address) public depositor;

    event DepositTransferred(uint256 indexed tokenId, address indexed oldOwner, address indexed newOwner);

    constructor(IPositions positions_) {
        positions = positions_;
    }

    function onERC721Received(address, address from, uint256 tokenId, bytes calldata) external returns (bytes4) {
        require(msg.sender == address(positions), "not a position");
        _credit(tokenId, from);
        return this.onERC721Received.selector;
    }

    function stake(uint256 tokenId) external {
        positions.transferFrom(msg.sender, address(this), tokenId);
        _credit(tokenId, msg.sender);
    }

    function transferDeposit(uint256 tokenId, address to) external {
        require(depositor[tokenId] == msg.sender && to != address(0), "not the depositor, or to nobody");
        _credit(tokenId, to);
    }

    function withdrawToken(uint256 tokenId, address to) external {
        require(depositor[tokenId] == msg.sender, "not the depositor");
        _credit(tokenId, address(0));
        positions.safeTransferFrom(address(this), to, tokenId);
    }

    function _credit(uint256 tokenId, address next) private {
        emit DepositTransferred(tokenId, depositor[tokenId], next);
        depositor[tokenId] = next;
    }
}

/// Another one, with events of its own. Its Deposit stands before the NFT's Transfer, its Withdraw after it.
contract UserNftStaker {
    IPositions public immutable positions;
    mapping(uint256 => address) public depositor;

    event Deposit(address indexed user, uint256 indexed tokenId);
    event Withdraw(address indexed user, uint256 indexed tokenId);

    constructor(IPositions positions_) {
        positions = positions_;
    }

    /// The sender's NFT, for `user`.
    function deposit(uint256 tokenId, address user) external {
        require(user != address(0), "for nobody");
        depositor[tokenId] = user;
        emit Deposit(user, tokenId);
        positions.transferFrom(msg.sender, address(this), tokenId);
    }

    function withdraw(uint256 tokenId) external {
        require(depositor[tokenId] == msg.sender, "not the depositor");
        delete depositor[tokenId];
        positions.transferFrom(address(this), msg.sender, tokenId);
        emit Withdraw(msg.sender, tokenId);
    }
}
