"""Facts and prices to USD over time, exactly. Pure integers; docs/accrual.md has the algorithm and its proof."""
