"""Topic 0 of each ERC-4626 event: keccak256 of its canonical signature, which stands above it."""

# Deposit(address,address,uint256,uint256)
DEPOSIT = bytes.fromhex("dcbc1c05240f31ff3ad067ef1ee35ce4997762752e3a095284754544f4c709d7")
# Withdraw(address,address,address,uint256,uint256)
WITHDRAW = bytes.fromhex("fbde797d201c681b91056529119e0b02407c7bb96a4a2c75c01fc9667232c8db")
