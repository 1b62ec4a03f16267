"""Topic 0 of each event of a Chainlink aggregator: keccak256 of its canonical signature, which stands above it."""

# AnswerUpdated(int256,uint256,uint256)
ANSWER_UPDATED = bytes.fromhex("0559884fd3a460db3073b7fc896cc77986f16e378210ded43186175bf646fc5f")
