// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {Aggregator} from "./Aggregator.sol";

/// A price feed's lasting address: it passes on what its current aggregator says and emits nothing itself. Each change of
/// the aggregator is a phase; a round's id here is the phase and, in its lower 64 bits, the aggregator's own.
contract FeedProxy {
    address public immutable owner;
    uint16 public phaseId;
    Aggregator public proposedAggregator;
    mapping(uint16 => Aggregator) public phaseAggregators;

    constructor(Aggregator first) {
        owner = msg.sender;
        _begin(first);
    }

    function proposeAggregator(Aggregator next) external {
        require(msg.sender == owner, "not the owner");
        proposedAggregator = next;
    }

    function confirmAggregator(Aggregator next) external {
        require(msg.sender == owner && next == proposedAggregator, "not the owner, or not proposed");
        delete proposedAggregator;
        _begin(next);
    }

    function aggregator() public view returns (Aggregator) {
        return phaseAggregators[phaseId];
    }

    function decimals() external view returns (uint8) {
        return aggregator().decimals();
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        (uint80 round, int256 answer, uint256 started, uint256 updated, uint80 answeredIn) = aggregator().latestRoundData();
        return (_proxied(phaseId, round), answer, started, updated, _proxied(phaseId, answeredIn));
    }

    function getRoundData(uint80 roundId) external view returns (uint80, int256, uint256, uint256, uint80) {
        uint16 phase = uint16(roundId >> 64);
        (uint80 round, int256 answer, uint256 started, uint256 updated, uint80 answeredIn) =
            phaseAggregators[phase].getRoundData(uint64(roundId));
        return (_proxied(phase, round), answer, started, updated, _proxied(phase, answeredIn));
    }

    function _begin(Aggregator next) private {
        phaseId += 1;
        phaseAggregators[phaseId] = next;
    }

    function _proxied(uint16 phase, uint80 round) private pure returns (uint80) {
        return (uint80(phase) << 64) | round;
    }
}
