// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import "./ERC20.sol";

/// Shares that move between chains: burned here, minted there. `bridge` says what arrives; it stands for the messaging.
contract BridgedShare is ERC20 {
    address public immutable bridge;

    event OFTSent(
        bytes32 indexed guid, uint32 dstEid, address indexed fromAddress, uint256 amountSentLD, uint256 amountReceivedLD
    );
    event OFTReceived(bytes32 indexed guid, uint32 srcEid, address indexed toAddress, uint256 amountReceivedLD);

    constructor(string memory name_, string memory symbol_, uint8 decimals_, address bridge_)
        ERC20(name_, symbol_, decimals_)
    {
        bridge = bridge_;
    }

    function bridgeOut(uint32 dstEid, bytes32 guid, uint256 value) external {
        _burn(msg.sender, value);
        emit OFTSent(guid, dstEid, msg.sender, value, value);
    }

    function bridgeIn(uint32 srcEid, bytes32 guid, address to, uint256 value) external {
        require(msg.sender == bridge, "not the bridge");
        _mint(to, value);
        emit OFTReceived(guid, srcEid, to, value);
    }
}
