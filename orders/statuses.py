"""Words and allowed moves of an order's life. An order's own status is computed, see ``rules/progress.py``."""

from enum import nonmember

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class MoneyState(TextChoices):
    """Whether the buyer has paid."""

    UNPAID = "unpaid", _("Unpaid")
    PAID = "paid", _("Paid")
    REFUNDED = "refunded", _("Refunded")


class GoodsState(TextChoices):
    """How far the goods are."""

    RECEIVED = "received", _("Received")
    PRICED = "priced", _("Priced")
    BACKORDERED = "backordered", _("Backordered")
    ALLOCATED = "allocated", _("Allocated")
    RELEASED = "released", _("Released")
    PART_SHIPPED = "part_shipped", _("Partly shipped")
    SHIPPED = "shipped", _("Shipped")
    DELIVERED = "delivered", _("Delivered")
    CANCELLED = "cancelled", _("Cancelled")


class OrderStatus(TextChoices):
    """What the list shows: computed from money, goods and holds by a fixed precedence."""

    RECEIVED = "received", _("Received")
    ON_HOLD = "on_hold", _("On hold")
    AWAITING_PAYMENT = "awaiting_payment", _("Awaiting payment")
    BACKORDERED = "backordered", _("Backordered")
    ALLOCATED = "allocated", _("Allocated")
    RELEASED = "released", _("Released")
    PART_SHIPPED = "part_shipped", _("Partly shipped")
    SHIPPED = "shipped", _("Shipped")
    DELIVERED = "delivered", _("Delivered")
    CANCELLED = "cancelled", _("Cancelled")

    OPEN = nonmember(
        ("received", "on_hold", "awaiting_payment", "backordered", "allocated", "released", "part_shipped")
    )


class FulfillmentStatus(TextChoices):
    """How far one parcel is."""

    PLANNED = "planned", _("Planned")
    RELEASED = "released", _("Released")
    PICKING = "picking", _("Picking")
    PACKED = "packed", _("Packed")
    SHIPPED = "shipped", _("Shipped")
    DELIVERED = "delivered", _("Delivered")
    CANCELLED = "cancelled", _("Cancelled")

    OPEN = nonmember(("planned", "released", "picking", "packed"))
    MOVES = nonmember(
        {
            "planned": ("released", "cancelled"),
            "released": ("picking", "packed", "cancelled"),
            "picking": ("packed", "cancelled"),
            "packed": ("shipped", "cancelled"),
            "shipped": ("delivered",),
            "delivered": (),
            "cancelled": (),
        }
    )


class HoldKind(TextChoices):
    """Why an order may not go on."""

    ADDRESS = "address", _("Address")
    UNKNOWN_SKU = "unknown_sku", _("Unknown SKU")
    CHANNEL = "channel", _("The channel says wait")
    NO_NODE = "no_node", _("No node can fulfil")
    CANCEL_REQUESTED = "cancel_requested", _("Cancel requested")
    REFUND = "refund", _("Refund asked for")
    CHANGED = "changed", _("Changed after release")
    PURCHASE_LIMIT = "purchase_limit", _("Above a purchase limit")
    GIFT = "gift", _("A gift is missing")
    SENT_ELSEWHERE = "sent_elsewhere", _("Sent by somebody else")
    MANUAL = "manual", _("Set by a person")


class ReturnStatus(TextChoices):
    """How far goods on their way back are."""

    REQUESTED = "requested", _("Requested")
    RECEIVED = "received", _("Received")
    REFUNDED = "refunded", _("Refunded")


class EventKind(TextChoices):
    """What happened to an order, for its timeline."""

    RECEIVED = "received", _("Received from the channel")
    CHANGED = "changed", _("Changed by the channel")
    PRICED = "priced", _("Priced")
    PAID = "paid", _("Paid")
    ALLOCATED = "allocated", _("Stock reserved and node chosen")
    BACKORDERED = "backordered", _("Stock missing")
    HELD = "held", _("Put on hold")
    HOLD_LIFTED = "hold_lifted", _("Hold lifted")
    RESERVATION_EXPIRED = "reservation_expired", _("Reservation expired")
    RELEASED = "released", _("Released to the node")
    PICKING = "picking", _("Picking begun")
    PACKED = "packed", _("Packed")
    SHIPPED = "shipped", _("Shipped")
    DELIVERED = "delivered", _("Delivered")
    CANCELLED = "cancelled", _("Cancelled")
    RETURN_REQUESTED = "return_requested", _("Return requested")
    RETURNED = "returned", _("Goods came back")
    REFUNDED = "refunded", _("Refunded")


class OversellCause(TextChoices):
    """Why an order was accepted whose stock was not there."""

    PUSH_LAG = "push_lag", _("The channel still had an older, higher figure")
    OVER_FIGURE = "over_figure", _("The channel sold more than it was told")
    NEVER_TOLD = "never_told", _("The channel was never told a figure")
    NOT_FOUND = "not_found", _("Reserved units were not at the node")


class RefundStatus(TextChoices):
    """How far a refund is on the channel's side."""

    ASKED = "asked", _("Asked for")
    AGREED = "agreed", _("Agreed")
    REFUNDED = "refunded", _("Refunded")
    CLOSED = "closed", _("Withdrawn or refused")

    STOPS = nonmember(("asked", "agreed"))


class ScanState(TextChoices):
    """Where a parcel is on its way."""

    ANNOUNCED = "announced", _("Announced")
    COLLECTED = "collected", _("Collected")
    UNDERWAY = "underway", _("On its way")
    OUT_FOR_DELIVERY = "out_for_delivery", _("Out for delivery")
    READY_FOR_PICKUP = "ready_for_pickup", _("Ready for pickup")
    DELIVERED = "delivered", _("Delivered")
    TROUBLE = "trouble", _("Trouble")
    GOING_BACK = "going_back", _("Going back")
    CAME_BACK = "came_back", _("Came back")


class BacktestStatus(TextChoices):
    """How far a back-test is."""

    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    STOPPED = "stopped", _("Stopped")
    FAILED = "failed", _("Failed")


class DeliveryMethod(TextChoices):
    """How the buyer wants the goods."""

    STANDARD = "standard", _("Standard delivery")
    EXPRESS = "express", _("Express delivery")
    PICKUP = "pickup", _("Pickup at a store")


class RoutingKind(TextChoices):
    """What made a routing decision."""

    ONLINE = "online", _("As the order came")
    BATCH = "batch", _("Many orders together")
    REROUTE = "reroute", _("Again, after a node failed")
    OVERRIDE = "override", _("By a person")


class AttemptOutcome(TextChoices):
    """Why a node did not send a parcel it had."""

    REJECTED = "rejected", _("The node refused")
    TIMED_OUT = "timed_out", _("The node did not begin in time")
    SHORT_PICK = "short_pick", _("The node did not find the goods")
    STOCK_GONE = "stock_gone", _("The stock was gone")
    NODE_DOWN = "node_down", _("The node is down")
    CARRIER_STOPPED = "carrier_stopped", _("The carrier does not take parcels")


class DisruptionEffect(TextChoices):
    """What a disruption means for parcels that it touches."""

    BLOCKS = "blocks", _("Nothing is sent")
    DELAYS = "delays", _("Parcels take longer")


class WhatIfSource(TextChoices):
    """Whose orders a what-if run routes."""

    HISTORY = "history", _("Past decisions")
    FORECAST = "forecast", _("A forecast")
