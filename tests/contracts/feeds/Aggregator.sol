// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// One phase of a price feed. Its owner says the answers, whatever they are: 0 and negative ones and old times too.
/// Rounds are counted from 1; AnswerUpdated is what it is known by.
contract Aggregator {
    struct Answer {
        int256 answer;
        uint256 updatedAt;
    }

    uint8 public immutable decimals;
    address public immutable owner;
    uint256 public latestRound;
    mapping(uint256 => Answer) private answers;

    event NewRound(uint256 indexed roundId, address indexed startedBy, uint256 startedAt);
    event AnswerUpdated(int256 indexed current, uint256 indexed roundId, uint256 updatedAt);

    constructor(uint8 decimals_) {
        decimals = decimals_;
        owner = msg.sender;
    }

    /// The answer of the next round.
    function submit(int256 answer, uint256 updatedAt) external {
        latestRound += 1;
        emit NewRound(latestRound, msg.sender, updatedAt);
        _say(latestRound, answer, updatedAt);
    }

    /// Another answer for a round that has one.
    function correct(uint256 roundId, int256 answer, uint256 updatedAt) external {
        require(roundId > 0 && roundId <= latestRound, "no such round");
        _say(roundId, answer, updatedAt);
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return getRoundData(uint80(latestRound));
    }

    function getRoundData(uint80 roundId) public view returns (uint80, int256, uint256, uint256, uint80) {
        Answer memory found = answers[roundId];
        require(found.updatedAt > 0, "No data present");
        return (roundId, found.answer, found.updatedAt, found.updatedAt, roundId);
    }

    function _say(uint256 roundId, int256 answer, uint256 updatedAt) private {
        require(msg.sender == owner, "not the owner");
        answers[roundId] = Answer(answer, updatedAt);
        emit AnswerUpdated(answer, roundId, updatedAt);
    }
}
