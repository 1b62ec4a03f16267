"""NFT stakers: contracts that hold position NFTs for others, and log who deposited which."""
