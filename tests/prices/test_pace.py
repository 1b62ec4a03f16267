from loyalty.prices.pace import Pace


class Stopwatch:
    def __init__(self):
        self.now = 100.0
        self.waits = []

    def sleep(self, seconds):
        self.waits.append(seconds)
        self.now += seconds


def test_calls_keep_their_distance():
    watch = Stopwatch()
    pace = Pace(6, clock=lambda: watch.now, sleep=watch.sleep)
    for _ in range(3):
        pace.wait()
    assert watch.waits == [6, 6]


def test_a_call_after_a_pause_does_not_wait():
    watch = Stopwatch()
    pace = Pace(6, clock=lambda: watch.now, sleep=watch.sleep)
    pace.wait()
    watch.now += 10
    pace.wait()
    watch.now += 4
    pace.wait()
    assert watch.waits == [2]
