"""Who goes next: workloads of one channel share its calls, and what is urgent never stands behind the rest."""

from collections.abc import Mapping, Sequence


def share_out(due: Mapping[str, int], room: int, *, order: Sequence[str]) -> dict[str, int]:
    """Return how many messages of each lane fit into ``room``: one of each in turn, lanes in their ``order``.

    A lane with little to send gets all of it through, however much the others have.
    """
    given = dict.fromkeys((lane for lane in order if due.get(lane, 0) > 0), 0)
    while room > 0:
        wanting = [lane for lane in given if given[lane] < due[lane]]
        if not wanting:
            break
        each = max(1, room // len(wanting))
        for lane in wanting:
            more = min(each, due[lane] - given[lane], room)
            given[lane] += more
            room -= more
    return {lane: count for lane, count in given.items() if count}
