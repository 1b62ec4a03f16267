"""Followers: how the pools of each protocol are read, checked and stored in a step of the index."""
