"""Histories: how a pool's days are read back from the stored facts and prices, one file a protocol.

history.py      what accrue, verify and explain ask of any pool
opening.py      the history of a pool by its protocol: the one registry
pool_prices.py  the prices of all of a pool's tokens over a span
uniswap_v3.py   positions on ranges, and the pool's own price
curve.py        LP and gauge tokens, and what the pool holds
"""
