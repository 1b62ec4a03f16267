// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import "./Asset.sol";
import "./BridgedShare.sol";

/// A vault with rounds. Staked assets are pending until the keeper rolls the round; then they are shares at the round's
/// price, minted to the vault and owed to the account until it redeems them. Receipts are brought up to date when their
/// account is touched. Shares also leave and arrive by bridge; `omniTotalSupply` counts those of all chains.
contract StreamVault is BridgedShare {
    struct StakeReceipt {
        uint256 round;
        uint256 amount;
        uint256 unredeemedShares;
    }

    Asset public immutable asset;
    address public immutable keeper;
    uint256 public round = 1;
    uint256 public totalPending;
    uint256 public omniTotalSupply;
    mapping(uint256 => uint256) public roundPricePerShare;
    mapping(address => StakeReceipt) public stakeReceipts;
    /// For tests alone, as no vault says it: the shares that an account unstaked in a round.
    mapping(uint256 => mapping(address => uint256)) public unstakedShares;

    event Stake(address indexed account, uint256 amount, uint256 round);
    event Unstake(address indexed account, uint256 amount, uint256 round);
    event Redeem(address indexed account, uint256 share, uint256 round);
    event InstantUnstake(address indexed account, uint256 amount, uint256 round);
    event RoundRolled(
        uint256 round,
        uint256 pricePerShare,
        uint256 sharesMinted,
        uint256 wrappedTokensMinted,
        uint256 wrappedTokensBurned,
        uint256 yield,
        bool isYieldPositive
    );

    /// Shares have the asset's decimals.
    constructor(Asset asset_, string memory name_, string memory symbol_, address keeper_, address bridge_)
        BridgedShare(name_, symbol_, asset_.decimals(), bridge_)
    {
        asset = asset_;
        keeper = keeper_;
    }

    // Accounts

    /// Assets of the sender, for `creditor`: pending until this round is rolled.
    function stake(uint256 amount, address creditor) external {
        require(amount > 0 && creditor != address(0), "nothing, or for nobody");
        asset.transferFrom(msg.sender, address(this), amount);
        emit Stake(creditor, amount, round);
        StakeReceipt memory receipt = stakeReceipts[creditor];
        uint256 pending = receipt.round == round ? receipt.amount : 0;
        stakeReceipts[creditor] = StakeReceipt(round, pending + amount, _unredeemed(receipt));
        totalPending += amount;
    }

    /// Takes pending assets of this round back. No shares are involved.
    function instantUnstake(uint256 amount) external {
        StakeReceipt storage receipt = stakeReceipts[msg.sender];
        require(amount > 0 && receipt.round == round && receipt.amount >= amount, "not pending");
        receipt.amount -= amount;
        totalPending -= amount;
        emit InstantUnstake(msg.sender, amount, round);
        asset.transfer(msg.sender, amount);
    }

    function redeem(uint256 numShares) external {
        require(numShares > 0, "nothing");
        _redeem(numShares);
    }

    function maxRedeem() external {
        _redeem(_unredeemed(stakeReceipts[msg.sender]));
    }

    /// Redeems everything owed, then burns `numShares` at the price of the round before.
    function unstake(uint256 numShares) external {
        require(numShares > 0 && round > 1, "nothing, or no price yet");
        _redeem(_unredeemed(stakeReceipts[msg.sender]));
        uint256 amount = numShares * roundPricePerShare[round - 1] / _unit();
        emit Unstake(msg.sender, amount, round);
        _burn(msg.sender, numShares);
        omniTotalSupply -= numShares;
        unstakedShares[round][msg.sender] += numShares;
        asset.transfer(msg.sender, amount);
    }

    // Rounds

    /// Closes the round with its yield (or loss), which is made by minting or burning the asset.
    function rollToNextRound(uint256 yield, bool isYieldPositive) external {
        require(msg.sender == keeper, "not the keeper");
        if (yield > 0) {
            if (isYieldPositive) asset.mint(address(this), yield);
            else asset.burn(yield);
        }
        uint256 pricePerShare = _pricePerShare();
        uint256 sharesMinted = totalPending * _unit() / pricePerShare;
        uint256 rolled = round;
        roundPricePerShare[rolled] = pricePerShare;
        round = rolled + 1;
        totalPending = 0;
        omniTotalSupply += sharesMinted;
        _mint(address(this), sharesMinted);
        emit RoundRolled(
            rolled,
            pricePerShare,
            sharesMinted,
            isYieldPositive ? yield : 0,
            isYieldPositive ? 0 : yield,
            yield,
            isYieldPositive
        );
    }

    // Views

    function shares(address account) external view returns (uint256) {
        return balanceOf[account] + _unredeemed(stakeReceipts[account]);
    }

    function shareBalances(address account) external view returns (uint256 held, uint256 unredeemed) {
        return (balanceOf[account], _unredeemed(stakeReceipts[account]));
    }

    // Inside

    function _redeem(uint256 numShares) private {
        StakeReceipt storage receipt = stakeReceipts[msg.sender];
        uint256 owed = _unredeemed(receipt);
        require(numShares <= owed, "not owed");
        if (numShares == 0) return;
        if (receipt.round < round) receipt.amount = 0;
        receipt.unredeemedShares = owed - numShares;
        emit Redeem(msg.sender, numShares, receipt.round);
        _transfer(address(this), msg.sender, numShares);
    }

    function _unredeemed(StakeReceipt memory receipt) private view returns (uint256) {
        if (receipt.round == 0 || receipt.round == round) return receipt.unredeemedShares;
        return receipt.unredeemedShares + receipt.amount * _unit() / roundPricePerShare[receipt.round];
    }

    /// What is not pending, by share. Without shares one is worth one asset; worth nothing, nothing can be rolled.
    function _pricePerShare() private view returns (uint256 price) {
        uint256 assets = asset.balanceOf(address(this)) - totalPending;
        price = omniTotalSupply == 0 ? _unit() : assets * _unit() / omniTotalSupply;
        require(price > 0, "shares are worth nothing");
    }

    function _unit() private view returns (uint256) {
        return 10 ** uint256(decimals);
    }
}
