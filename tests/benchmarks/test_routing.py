"""The instances of joint routing are the same for ever, and every way to plan is counted alike."""

from benchmarks import routing
from benchmarks.routing_instances import make


def used(instance, found):
    """Return what plans take of stock and room."""
    stock, room = {}, {}
    for shares in found.values():
        for node_id, units in (shares or {}).items():
            room[node_id] = room.get(node_id, 0) + 1
            for sku_id, quantity in units.items():
                stock[sku_id, node_id] = stock.get((sku_id, node_id), 0) + quantity
    return stock, room


def test_the_same_seed_makes_the_same_instance_and_another_one_another():
    assert make(1, 40) == make(1, 40)
    assert make(1, 40) != make(2, 40)
    assert {len(demand.items) for demand in make(1, 40).demands} == {3}


def test_every_way_keeps_to_the_stock_and_room_there_is():
    instance = make(3, 60, nodes=12, room=2.0)
    solved = routing.solve(instance, 30.0)
    together = {
        wish.reference: solved.joined.shares(place, plan) if plan else None
        for place, (wish, plan) in enumerate(zip(solved.joined.joint.wishes, solved.answer.plans, strict=True))
    }
    for found in (together, routing.online(instance), routing.nearest(instance)):
        stock, room = used(instance, found)
        assert all(units <= instance.stock[sku_id][node_id] for (sku_id, node_id), units in stock.items())
        assert all(room.get(node.node_id, 0) <= node.parcels_left for node in instance.situation.nodes)
        for demand in instance.demands:
            sent = {}
            for units in (found[demand.reference] or {}).values():
                for sku_id, quantity in units.items():
                    sent[sku_id] = sent.get(sku_id, 0) + quantity
            assert sent in ({}, {item.sku_id: item.quantity for item in demand.items})


def test_together_costs_at_most_what_the_other_ways_cost():
    instance = make(3, 60, nodes=12, room=2.0)
    solved = routing.solve(instance, 30.0)
    assert solved.answer.how in ("proven", "near", "no_solver")
    for found in (routing.online(instance), routing.nearest(instance)):
        cost, unsent = routing.price(solved.joined, found)
        if not unsent:
            assert solved.answer.bound - 1e-6 <= solved.answer.cost <= cost + 1e-6
