"""What the measurement of the way in offers, and when."""

from benchmarks.channels_in import Load, moments


def test_orders_are_due_evenly_with_the_burst_in_the_middle_second():
    due = moments(Load(seconds=60, burst=2_000))
    assert (len(due), due[0], due[-1], due == sorted(due)) == (26_000, 0.0, 59.9975, True)
    per_second = [sum(1 for moment in due if second <= moment < second + 1) for second in range(60)]
    assert per_second == [400] * 30 + [2_400] + [400] * 29


def test_a_short_run_offers_a_smaller_burst():
    assert len(moments(Load(seconds=1.5, burst=50))) == 650
