"""Topic 0 of each StreamVault event: keccak256 of its canonical signature, which stands above it."""

# Stake(address,uint256,uint256)
STAKE = bytes.fromhex("5af417134f72a9d41143ace85b0a26dce6f550f894f2cbc1eeee8810603d91b6")
# Unstake(address,uint256,uint256)
UNSTAKE = bytes.fromhex("f960dbf9e5d0682f7a298ed974e33a28b4464914b7a2bfac12ae419a9afeb280")
# Redeem(address,uint256,uint256)
REDEEM = bytes.fromhex("e5b754fb1abb7f01b499791d0b820ae3b6af3424ac1c59768edb53f4ec31a929")
# InstantUnstake(address,uint256,uint256)
INSTANT_UNSTAKE = bytes.fromhex("d4c77371bd953385095a86cd8a485eebf49b24188665f3124da4f6e2502206d7")
# RoundRolled(uint256,uint256,uint256,uint256,uint256,uint256,bool)
ROUND_ROLLED = bytes.fromhex("d10ec817f985884af9ac82cc12ea4b93c06e65bbe4e6b42ef6f8b0612bdbabf8")
