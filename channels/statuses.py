"""Words for messages in and out."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class InboundKind(TextChoices):
    """What a message that came in is about."""

    ORDER = "order", _("Whole order")
    CHANGE = "change", _("One change")
    REFUND = "refund", _("Refund")
    PARCEL = "parcel", _("What a node did with a parcel")
    TRACKING = "tracking", _("Where a parcel is")


class InboundStatus(TextChoices):
    """Where a message that came in stands."""

    RECEIVED = "received", _("Received")
    WAITING = "waiting", _("Waiting for its order")
    DONE = "done", _("Done")
    SUPERSEDED = "superseded", _("Superseded")
    REJECTED = "rejected", _("Rejected")
    PARKED = "parked", _("Parked")


class OutboundStatus(TextChoices):
    """Where a message that goes out stands."""

    PENDING = "pending", _("Pending")
    SENT = "sent", _("Sent")
    NEEDS_PERSON = "needs_person", _("Needs a person")
    GIVEN_UP = "given_up", _("Given up")


class Lane(TextChoices):
    """Workloads that never wait for one another."""

    URGENT = "urgent", _("Stock near zero")
    PARCELS = "parcels", _("Parcels to nodes")
    SHIPMENTS = "shipments", _("Shipment notices")
    STOCK = "stock", _("Stock figures")
    BOOKS = "books", _("Documents for the books")
    TRACKING = "tracking", _("Parcels to follow")
    NOTICES = "notices", _("Messages to people")
    EVENTS = "events", _("Partners' webhooks")


class InboundSource(TextChoices):
    """How a message that came in reached us first."""

    PUSH = "push", _("Pushed")
    PULL = "pull", _("Pulled")
    FETCH = "fetch", _("Fetched after a push")
    RECONCILIATION = "reconcile", _("Found only by reconciliation")
    FILE = "file", _("From a file")


class Breaker(TextChoices):
    """Whether a channel is called at all."""

    CLOSED = "closed", _("Calls go through")
    OPEN = "open", _("Not called")
    HALF_OPEN = "half_open", _("One try")


class AttemptOutcome(TextChoices):
    """How one try to deliver a message ended."""

    ACCEPTED = "accepted", _("Accepted")
    RETRY = "retry", _("To be tried again")
    REFUSED = "refused", _("Refused")


class SetupStep(TextChoices):
    """How far a channel's connection has come."""

    CREDENTIALS = "credentials", _("Credentials")
    LISTINGS = "listings", _("Listings")
    MATCHING = "matching", _("Matching")
    TERMS = "terms", _("Nodes and terms")
    SUMMARY = "summary", _("Summary")
    DONE = "done", _("Done")


class ListingMatch(TextChoices):
    """By what a listing was taken for a SKU."""

    NONE = "none", _("Nothing")
    CODE = "code", _("Code")
    BARCODE = "barcode", _("Barcode")
    NAME = "name", _("Similar name")
    PERSON = "person", _("A person")


class MatchDecision(TextChoices):
    """What a person decided about a found listing."""

    OPEN = "open", _("Open")
    ACCEPTED = "accepted", _("Accepted")
    LEFT_OUT = "left_out", _("Left out")
