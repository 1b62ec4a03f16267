"""Words and numbers that every other package uses: addresses, amounts, spans, times, errors. Pure."""
