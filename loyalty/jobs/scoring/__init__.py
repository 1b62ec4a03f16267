"""Scoring: how a round began, who is behind the shares, and the points of one round or day."""
