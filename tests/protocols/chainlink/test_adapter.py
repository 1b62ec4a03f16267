"""Which logs are asked for, and what becomes of them."""

import pytest

from loyalty.core.errors import Inconsistent
from loyalty.core.queries import LogQuery
from loyalty.core.spans import Span
from loyalty.protocols.chainlink.adapter import read_answers
from loyalty.protocols.chainlink.phases import OPEN_END, Phase
from loyalty.protocols.chainlink.topics import ANSWER_UPDATED


def test_each_aggregator_is_asked_over_its_own_blocks_of_the_span(feed):
    one, two, three = map(feed.aggregator, (1, 2, 3))
    phases = [Phase(one, Span(0, 51)), Phase(two, Span(50, OPEN_END)), Phase(three, Span(200, OPEN_END))]
    chain = feed.Chain([])
    assert chain(read_answers(phases, Span(40, 100))) == []
    topic = ((ANSWER_UPDATED,),)
    assert chain.turns == [[LogQuery((one,), topic, Span(40, 51)), LogQuery((two,), topic, Span(50, 100))]]


def test_aggregators_with_the_same_blocks_are_asked_together(feed):
    phases = [Phase(feed.aggregator(number), Span(0, OPEN_END)) for number in (2, 1)]
    chain = feed.Chain([])
    chain(read_answers(phases, Span(0, 10)))
    ((query,),) = chain.turns
    assert query.addresses == (feed.aggregator(1), feed.aggregator(2))


def test_nothing_is_asked_outside_of_all_bounds(feed):
    chain = feed.Chain([feed.answered(5, 0, 1, 100)])
    assert chain(read_answers([Phase(feed.aggregator(1), Span(0, 5))], Span(5, 9))) == []
    assert chain.turns == []


def test_answers_come_in_the_chains_order_with_those_that_are_no_prices(feed):
    logs = [feed.answered(5, 3, 1, 100, 9), feed.answered(5, 1, 2, 0), feed.answered(4, 8, 1, -7, 8)]
    phases = [Phase(feed.aggregator(number), Span(0, OPEN_END)) for number in (1, 2)]
    answers = feed.Chain(logs)(read_answers(phases, Span(0, 10)))
    assert [(each.block, each.log_index, each.answer) for each in answers] == [(4, 8, -7), (5, 1, 0), (5, 3, 100)]


def test_a_log_that_was_not_asked_for_is_refused(feed):
    conversation = read_answers([Phase(feed.aggregator(1), Span(0, OPEN_END))], Span(0, 10))
    next(conversation)
    with pytest.raises(Inconsistent, match=r"block 5, log 0: it was not asked for\. .* use another one"):
        conversation.send([feed.answered(5, 0, 2, 100)])


def test_a_log_from_beyond_the_bounds_is_refused(feed):
    conversation = read_answers([Phase(feed.aggregator(1), Span(0, 5))], Span(0, 10))
    next(conversation)
    with pytest.raises(Inconsistent, match="was not asked for"):
        conversation.send([feed.answered(5, 0, 1, 100)])


def test_another_event_of_an_aggregator_is_refused(feed):
    conversation = read_answers([Phase(feed.aggregator(1), Span(0, OPEN_END))], Span(0, 10))
    next(conversation)
    log = feed.answered(5, 0, 1, 100)
    with pytest.raises(Inconsistent, match="was not asked for"):
        conversation.send([log._replace(topics=(bytes(32), *log.topics[1:]))])
