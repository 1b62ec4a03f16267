"""An explanation as text: from the reward down to the log ids, one line a fact, two spaces a level."""

from collections.abc import Iterator
from fractions import Fraction

from loyalty.core.address import checksum
from loyalty.core.amounts import USD_DECIMALS, format_decimal, format_units, format_units_fixed
from loyalty.core.times import day_text, time_text
from loyalty.program.explanation import (
    DayLine,
    Explanation,
    LiquiditySpan,
    PoolLine,
    PositionLine,
    PriceLine,
    RewardLine,
    Standing,
    TierStep,
    WorthLine,
)
from loyalty.program.rules import Count, Exclusion


def lines(explanation: Explanation) -> list[str]:
    """The whole explanation. Amounts are exact, except where a line says "about"."""
    return list(_lines(explanation))


def _lines(explanation: Explanation) -> Iterator[str]:
    epoch = explanation.epoch
    yield f"provider {checksum(explanation.provider)}"
    yield f"epoch {epoch.number} of {explanation.epochs}, {time_text(epoch.start)} to {time_text(epoch.end)}"
    for reward in explanation.rewards:
        yield from _reward(reward, explanation)
    yield from _weight(explanation)
    yield from _standing(explanation.standing)
    yield from (_exclusion(exclusion) for exclusion in explanation.exclusions)
    for day in explanation.days:
        yield from _day(day, explanation.count)


def _reward(line: RewardLine, explanation: Explanation) -> Iterator[str]:
    token, decimals = line.token.symbol, line.token.decimals
    yield f"reward {format_units(line.units, decimals)} {token} = {line.units} units"
    budget = line.own_units + line.carried_in_units
    own, carried = format_units(line.own_units, decimals), format_units(line.carried_in_units, decimals)
    yield f"  budget {format_units(budget, decimals)} {token} = {own} of the epoch + {carried} carried in"
    if line.units:
        fraction = f"{format_decimal(explanation.weight)} / {format_decimal(explanation.total_weight)}"
        yield f"  floor({budget} x {fraction}) = {line.floor_units} units"
        yield f"  + {line.remainder_units} for the remainder: what floors leave goes to the largest, one unit each"


def _weight(explanation: Explanation) -> Iterator[str]:
    multiplier = format_decimal(explanation.standing.multiplier)
    yield f"weight {format_decimal(explanation.weight)} of {format_decimal(explanation.total_weight)}"
    for line in explanation.pools:
        yield _pool(line)
    if explanation.weight:
        yield f"  x {multiplier}, the multiplier of {explanation.standing.tier or 'no tier'}"


def _pool(line: PoolLine) -> str:
    weight = format_decimal(line.pool_weight)
    pool = f"pool {checksum(line.pool.address)} on chain {line.pool.chain}"
    return f"  {_usd(line.usd_micro_days)} dollar-days x {weight}, the weight of {pool}"


def _standing(standing: Standing) -> Iterator[str]:
    average = f"average {_cut(standing.average_usd_micro)} USD"
    minimum = f"minimum {format_units(standing.minimum_usd_micro, USD_DECIMALS)} USD"
    yield f"qualifying epochs before: {standing.qualifying_before}"
    if standing.participation_epoch is None:
        yield f"does not qualify, earns nothing: {average}; above zero and the program's {minimum} are needed"
        return
    yield f"participation epoch {standing.participation_epoch}: {average}, the program's {minimum}"
    yield f"tier {standing.tier or 'none'}, multiplier {format_decimal(standing.multiplier)}: the last one reached"
    yield from (f"  {_tier_step(step)}" for step in standing.steps)


def _tier_step(step: TierStep) -> str:
    tier = f"{step.name} (x {format_decimal(step.multiplier)})"
    begun = f"from participation epoch {step.from_epoch}: {_yes(step.begun)}"
    minimum = f"average of at least {format_units(step.minimum_usd_micro, USD_DECIMALS)} USD"
    return f"{tier} {begun}; {minimum}: {_yes(step.reaches_minimum)}"


def _exclusion(exclusion: Exclusion) -> str:
    begin = "the start" if exclusion.from_day is None else day_text(exclusion.from_day)
    end = "the end" if exclusion.until_day is None else day_text(exclusion.until_day)
    return f"excluded from {begin} until {end}: {exclusion.reason}"


def _day(line: DayLine, count: Count) -> Iterator[str]:
    full, in_range = _usd(line.usd_micro_days), _usd(line.usd_micro_days_in_range)
    reason = f"not counted, {line.not_counted}" if line.not_counted else f"counted {_counted(count)}"
    pool = f"pool {checksum(line.pool.address)} on chain {line.pool.chain}"
    yield f"{day_text(line.day)} {pool}: {full} dollar-days, {in_range} in range; {reason}"
    if line.detail is not None:
        yield from (f"  {_price(price)}" for price in line.detail.prices)
        yield from (f"  {_worth(worth)}" for worth in line.detail.share_worth)
        for position in line.detail.positions:
            yield from _position(position)


def _counted(count: Count) -> str:
    return "in full" if count == "full" else "in range"


def _price(line: PriceLine) -> str:
    price = format_units(line.price, line.price_decimals)
    reason = f", because: {line.reason}" if line.reason else ""
    return f"price of {line.token} {price} USD from {time_text(line.valid_time)}, source {line.source}{reason}"


def _worth(line: WorthLine) -> str:
    value = format_units(line.value, line.decimals) + (f" {line.unit}" if line.unit else "")
    by = "the contract's answer at" if line.log_index is None else "by"
    log = "" if line.log_index is None else f" log {line.log_index}"
    place = f"block {line.block}{log} of chain {line.chain}"
    told = f"{line.told} (10^{line.share_decimals} units) {value}"
    return f"{told} from {time_text(line.valid_time)}, {by} {place}"


def _position(line: PositionLine) -> Iterator[str]:
    full, in_range = _cut(line.usd_micro_days), _cut(line.usd_micro_days_in_range)
    amounts = f"about {full} dollar-days, {in_range} in range for {line.in_range_seconds} s"
    shares = line.lower is None
    yield (
        f"  {line.position}: {amounts}"
        if shares
        else f"  position {line.position} [{line.lower}, {line.upper}): {amounts}"
    )
    yield from (f"    {_liquidity(span, 'units' if shares else 'liquidity')}" for span in line.spans)


def _liquidity(span: LiquiditySpan, what: str) -> str:
    log = span.opened_by
    since = f", by block {log.block} log {log.log_index}" if log else ""
    return f"{what} {span.liquidity} from {time_text(span.span.start)} to {time_text(span.span.end)}{since}"


def _usd(usd_micro: int) -> str:
    return format_units_fixed(usd_micro, USD_DECIMALS)


def _cut(usd_micro: Fraction) -> str:
    """An exact number of micro-dollars, cut to 6 decimals of a dollar for the eye."""
    return _usd(int(usd_micro))


def _yes(value: bool) -> str:
    return "yes" if value else "no"
