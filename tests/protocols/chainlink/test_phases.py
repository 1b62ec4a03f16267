"""Which aggregator's answers count when."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.core.address import Address
from loyalty.core.facts import OracleAnswer
from loyalty.core.spans import Span
from loyalty.protocols.chainlink.phases import OPEN_END, Phase, bounded, counting


def aggregator(number):
    return Address(f"0x{number:040x}")


def said(block, log_index, number, answer=1, round_id=1):
    return OracleAnswer(aggregator(number), block, log_index, 12 * block, round_id, answer, 12 * block, bytes(32))


def open_phases(*numbers):
    return [Phase(aggregator(number), Span(0, OPEN_END)) for number in numbers]


def test_an_aggregator_counts_until_the_next_ones_first_answer():
    old, new = [said(1, 0, 1), said(4, 0, 1), said(9, 0, 1)], [said(5, 0, 2), said(8, 0, 2)]
    assert counting(open_phases(1, 2), [*new, *old]) == [old[0], old[1], new[0], new[1]]


def test_within_a_block_the_log_index_decides():
    answers = [said(5, 1, 1), said(5, 2, 2), said(5, 3, 1)]
    assert counting(open_phases(1, 2), answers) == answers[:2]


def test_a_round_that_is_answered_again_counts_again():
    answers = [said(1, 0, 1, 100, round_id=8), said(2, 0, 1, 101, round_id=8), said(3, 0, 1, 99, round_id=7)]
    assert counting(open_phases(1), answers) == answers


def test_an_aggregator_of_no_phase_does_not_count():
    assert counting(open_phases(1), [said(1, 0, 3)]) == []


def test_a_phase_that_is_left_out_ends_the_ones_before_it():
    answers = [said(1, 0, 1), said(2, 0, 3), said(3, 0, 2), said(4, 0, 1)]
    assert counting(open_phases(1, 2, 3), answers) == answers[:2]
    assert [phase.blocks.end for phase in bounded(open_phases(1, 2, 3), answers)] == [3, 3, OPEN_END]


def test_an_aggregator_that_serves_again_counts_in_both_its_phases():
    phases = [
        Phase(aggregator(1), Span(0, 21)),
        Phase(aggregator(2), Span(0, 41)),
        Phase(aggregator(1), Span(40, OPEN_END)),
    ]
    answers = [said(10, 0, 1), said(20, 0, 2), said(30, 0, 1), said(35, 0, 2), said(40, 0, 1), said(50, 0, 1)]
    assert counting(phases, answers) == [answers[0], answers[1], answers[3], answers[4], answers[5]]


def test_where_bounds_overlap_an_answer_belongs_to_the_later_phase():
    phases = [
        Phase(aggregator(1), Span(0, OPEN_END)),
        Phase(aggregator(2), Span(0, OPEN_END)),
        Phase(aggregator(1), Span(40, OPEN_END)),
    ]
    answers = [said(30, 0, 1), said(40, 0, 1), said(50, 0, 2)]
    assert counting(phases, answers) == answers[:2]
    assert [phase.blocks.end for phase in bounded(phases, answers)] == [41, 41, OPEN_END]


def test_a_bound_is_closed_with_the_block_in_which_both_may_have_answered():
    phases = bounded(open_phases(1, 2), [said(1, 0, 1), said(5, 0, 1), said(5, 1, 2)])
    assert [phase.blocks for phase in phases] == [Span(0, 6), Span(0, OPEN_END)]
    assert bounded(phases, [said(7, 0, 2)]) == phases


HISTORIES = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 9), st.integers(1, 4)), unique_by=lambda log: log[:2])


@settings(max_examples=150, deadline=None)
@given(HISTORIES, st.lists(st.integers(0, 31), max_size=4))
def test_however_a_history_is_cut_the_same_answers_count(logs, cuts):
    answers = sorted((said(*log) for log in logs), key=lambda each: (each.block, each.log_index))
    phases = open_phases(1, 2, 3)
    pieces = []
    for start, end in itertools.pairwise(sorted({0, 31, *cuts})):
        piece = [each for each in answers if start <= each.block < end]
        pieces += counting(phases, piece)
        phases = bounded(phases, piece)
    assert pieces == counting(open_phases(1, 2, 3), answers)
    assert phases == bounded(open_phases(1, 2, 3), answers)
