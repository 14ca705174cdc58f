"""Why an order cannot be sent as it is: what its plan says of the nodes, in one sentence."""

from typing import Final

from audit.rules.sentences import Sentence, say
from orders.rules import reasons
from orders.rules.routing.plans import Plan

WAY_OUT: Final = say("Let a node serve this destination or change the address, then choose “Try again”.")
# Of orders for which units or room were looked at: when every such node says the same.
_OF_OPEN: Final = {
    "full": say("Every node that serves this destination is full today."),
    "refused_before": say("Every node that serves this destination has refused this order before."),
    "backlog": say("Every node that serves this destination has too much work waiting."),
    "lacks_capability": say("No node that serves this destination can handle what these goods need."),
    "restricted": say("These goods must not be sent to this destination."),
}
# Of orders that no node could send whatever it has: the first of these that some node says.
_OF_CLOSED: Final = (
    ("down", say("The nodes that serve this destination are down for a while.")),
    ("disrupted", say("A disruption keeps every node from sending to this destination now.")),
    ("past_cut_off", say("Every node that serves this destination is past its cut-off today.")),
    ("no_carrier", say("No carrier goes to this destination from any node that serves it.")),
    ("lacks_capability", say("No node that serves this destination hands parcels out to buyers.")),
    ("wrong_kind", say("No node passes the rules of the routing policy for this order.")),
    ("not_in_group", say("No node passes the rules of the routing policy for this order.")),
    ("too_far", say("No node passes the rules of the routing policy for this order.")),
)


def why(plan: Plan, beyond_share: int) -> Sentence:
    """Return why units of a plan are missing; ``beyond_share`` of them the channel's share did not have."""
    units = sum(item.quantity for item in plan.missing)
    if beyond_share == units:
        return say("%(units)s units are beyond what the channel's share of the stock still has.", units=units)
    if plan.too_short == units:
        return say("%(units)s units are in stock, but do not keep long enough for this channel.", units=units)
    if not plan.is_served:
        return _why_nobody(plan)
    said = {row.verdict.code for row in plan.judged.rows} if plan.judged else set()
    if len(said) == 1 and (words := _OF_OPEN.get(next(iter(said)))):
        return words
    return say("%(units)s units are not in stock at any node that serves this destination.", units=units)


def needs_person(plan: Plan) -> bool:
    """Return whether the order stays where it is until somebody changes nodes, policy or address.

    What time mends (a node that is down, a storm, a cut-off) is tried again by itself.
    """
    return not plan.is_served and reasons.PASSING.isdisjoint(reasons.codes_of(plan))


def _why_nobody(plan: Plan) -> Sentence:
    codes = reasons.codes_of(plan)
    for code, words in _OF_CLOSED:
        if code in codes:
            return words
    return say("No active node serves this destination.")
