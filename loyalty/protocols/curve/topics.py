"""Topic 0 of each Curve event: keccak256 of its canonical signature, which stands above it."""

# StableSwap-NG: arrays of any length.

# AddLiquidity(address,uint256[],uint256[],uint256,uint256)
NG_ADD_LIQUIDITY = bytes.fromhex("189c623b666b1b45b83d7178f39b8c087cb09774317ca2f53c2d3c3726f222a2")
# RemoveLiquidity(address,uint256[],uint256[],uint256)
NG_REMOVE_LIQUIDITY = bytes.fromhex("347ad828e58cbe534d8f6b67985d791360756b18f0d95fd9f197a66cc46480ea")
# RemoveLiquidityImbalance(address,uint256[],uint256[],uint256,uint256)
NG_REMOVE_LIQUIDITY_IMBALANCE = bytes.fromhex("3631c28b1f9dd213e0319fb167b554d76b6c283a41143eb400a0d1adb1af1755")
# RemoveLiquidityOne(address,int128,uint256,uint256,uint256)
NG_REMOVE_LIQUIDITY_ONE = bytes.fromhex("6f48129db1f37ccb9cc5dd7e119cb32750cabdf75b48375d730d26ce3659bbe1")

# Older StableSwap: arrays of as many words as the pool has coins.

# AddLiquidity(address,uint256[2],uint256[2],uint256,uint256)
ADD_LIQUIDITY_2 = bytes.fromhex("26f55a85081d24974e85c6c00045d0f0453991e95873f52bff0d21af4079a768")
# RemoveLiquidity(address,uint256[2],uint256[2],uint256)
REMOVE_LIQUIDITY_2 = bytes.fromhex("7c363854ccf79623411f8995b362bce5eddff18c927edc6f5dbbb5e05819a82c")
# RemoveLiquidityImbalance(address,uint256[2],uint256[2],uint256,uint256)
REMOVE_LIQUIDITY_IMBALANCE_2 = bytes.fromhex("2b5508378d7e19e0d5fa338419034731416c4f5b219a10379956f764317fd47e")
# AddLiquidity(address,uint256[3],uint256[3],uint256,uint256)
ADD_LIQUIDITY_3 = bytes.fromhex("423f6495a08fc652425cf4ed0d1f9e37e571d9b9529b1c1c23cce780b2e7df0d")
# RemoveLiquidity(address,uint256[3],uint256[3],uint256)
REMOVE_LIQUIDITY_3 = bytes.fromhex("a49d4cf02656aebf8c771f5a8585638a2a15ee6c97cf7205d4208ed7c1df252d")
# RemoveLiquidityImbalance(address,uint256[3],uint256[3],uint256,uint256)
REMOVE_LIQUIDITY_IMBALANCE_3 = bytes.fromhex("173599dbf9c6ca6f7c3b590df07ae98a45d74ff54065505141e7de6c46a624c2")
# AddLiquidity(address,uint256[4],uint256[4],uint256,uint256)
ADD_LIQUIDITY_4 = bytes.fromhex("3f1915775e0c9a38a57a7bb7f1f9005f486fb904e1f84aa215364d567319a58d")
# RemoveLiquidity(address,uint256[4],uint256[4],uint256)
REMOVE_LIQUIDITY_4 = bytes.fromhex("9878ca375e106f2a43c3b599fc624568131c4c9a4ba66a14563715763be9d59d")
# RemoveLiquidityImbalance(address,uint256[4],uint256[4],uint256,uint256)
REMOVE_LIQUIDITY_IMBALANCE_4 = bytes.fromhex("b964b72f73f5ef5bf0fdc559b2fab9a7b12a39e47817a547f1f0aee47febd602")
# RemoveLiquidityOne(address,uint256,uint256)
REMOVE_LIQUIDITY_ONE_TWO_WORDS = bytes.fromhex("9e96dd3b997a2a257eec4df9bb6eaf626e206df5f543bd963682d143300be310")

# Older StableSwap (amount, coin amount, supply) and, with other words, older crypto pools (amount, coin, coin amount).

# RemoveLiquidityOne(address,uint256,uint256,uint256)
REMOVE_LIQUIDITY_ONE_THREE_WORDS = bytes.fromhex("5ad056f2e28a8cec232015406b843668c1e36cda598127ec3b8c59b8c72773a0")

# Crypto pools of two and three coins, the older ones and (NG) those that log their price scale.

# AddLiquidity(address,uint256[2],uint256,uint256)
CRYPTO_ADD_LIQUIDITY_2 = bytes.fromhex("540ab385f9b5d450a27404172caade516b3ba3f4be88239ac56a2ad1de2a1f5a")
# AddLiquidity(address,uint256[2],uint256,uint256,uint256)
CRYPTO_NG_ADD_LIQUIDITY_2 = bytes.fromhex("7196cbf63df1f2ec20638e683ebe51d18260be510592ee1e2efe3f3cfd4c33e9")
# RemoveLiquidity(address,uint256[2],uint256)
CRYPTO_REMOVE_LIQUIDITY_2 = bytes.fromhex("dd3c0336a16f1b64f172b7bb0dad5b2b3c7c76f91e8c4aafd6aae60dce800153")
# AddLiquidity(address,uint256[3],uint256,uint256)
CRYPTO_ADD_LIQUIDITY_3 = bytes.fromhex("96b486485420b963edd3fdec0b0195730035600feb7de6f544383d7950fa97ee")
# AddLiquidity(address,uint256[3],uint256,uint256,uint256)
CRYPTO_NG_ADD_LIQUIDITY_3 = bytes.fromhex("e1b60455bd9e33720b547f60e4e0cfbf1252d0f2ee0147d53029945f39fe3c1a")
# RemoveLiquidity(address,uint256[3],uint256)
CRYPTO_REMOVE_LIQUIDITY_3 = bytes.fromhex("d6cc314a0b1e3b2579f8e64248e82434072e8271290eef8ad0886709304195f5")
# RemoveLiquidityOne(address,uint256,uint256,uint256,uint256,uint256)
CRYPTO_NG_REMOVE_LIQUIDITY_ONE = bytes.fromhex("e200e24d4a4c7cd367dd9befe394dc8a14e6d58c88ff5e2f512d65a9e0aa9c5c")
# RemoveLiquidityImbalance(address,uint256,uint256[2],uint256,uint256)
CRYPTO_NG_REMOVE_LIQUIDITY_IMBALANCE = bytes.fromhex("22f9ea3e7d7b113cb423896d2e121f96a66c17814ac7f63d69096769fa3e2a55")

# Exchanges: all StableSwap pools, older crypto pools, newer crypto pools.

# TokenExchange(address,int128,uint256,int128,uint256)
TOKEN_EXCHANGE = bytes.fromhex("8b3e96f2b889fa771c53c981b40daf005f63f637f1869f707052d15a3dd97140")
# TokenExchange(address,uint256,uint256,uint256,uint256)
CRYPTO_TOKEN_EXCHANGE = bytes.fromhex("b2e76ae99761dc136e598d4a629bb347eccb9532a5f8bbd72e18467c3c34cc98")
# TokenExchange(address,uint256,uint256,uint256,uint256,uint256,uint256)
CRYPTO_NG_TOKEN_EXCHANGE = bytes.fromhex("143f1f8e861fbdeddd5b46e844b7d3ac7b86a122f36e8c463859ee6811b1f29c")

# Newest crypto pools: supply that grows without a Transfer.

# Donation(address,uint256[2])
CRYPTO_NG_DONATION = bytes.fromhex("c05458c16b884817a70d3d18223db5fe4adb4cb541a5573bef0daae7a6f20542")

# Gauges. A wrapped native coin that is unwrapped tells it by Withdrawal.

# Deposit(address,uint256)
GAUGE_DEPOSIT = bytes.fromhex("e1fffcc4923d04b559f4d29a8bfc6cda04eb5b0d3c460751c2402c5c5cc9109c")
# Withdraw(address,uint256)
GAUGE_WITHDRAW = bytes.fromhex("884edad9ce6fa2440d8a54cc123490eb96d2768479d49ff9c7366125a9424364")
# Withdrawal(address,uint256)
COIN_WITHDRAWAL = bytes.fromhex("7fcf532c15f0a6db0bd6d0e038bea71d30d808c7d98cb3bf7268a95bf5081b65")
