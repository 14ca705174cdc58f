"""Words for nodes, SKUs, reservations and movements."""

from enum import nonmember

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class NodeKind(TextChoices):
    """What sort of place holds stock."""

    CENTRAL_DC = "central_dc", _("Central DC")
    REGIONAL_DC = "regional_dc", _("Regional DC")
    STORE = "store", _("Store")


class SkuKind(TextChoices):
    """What is sold: a thing, several things under one code, or something given."""

    SINGLE = "single", _("Single")
    BUNDLE = "bundle", _("Bundle")
    GIFT = "gift", _("Gift")


class RuleStatus(TextChoices):
    """Where a rule that people publish stands; a live one that is outside its time does nothing."""

    DRAFT = "draft", _("Draft")
    LIVE = "live", _("Live")
    RETIRED = "retired", _("Retired")


class SafetyKind(TextChoices):
    """How a safety stock is counted."""

    FIXED = "fixed", _("Units")
    PERCENT = "percent", _("Per cent of stock on hand")
    DAYS = "days", _("Days of cover")


class ShareKind(TextChoices):
    """What a channel's share does to the other channels, and to the channel itself."""

    EXCLUSIVE = "exclusive", _("Set aside for the channel")
    BORROWABLE = "borrowable", _("Set aside, unused part can be borrowed")
    CAPPED = "capped", _("At most so much")
    PRESALE = "presale", _("Presale pool")

    SETS_ASIDE = nonmember(("exclusive", "borrowable", "presale"))
    CAPS = nonmember(("capped", "presale"))


class ShareUnit(TextChoices):
    """What a share is counted in."""

    UNITS = "units", _("Units of each SKU")
    PERCENT = "percent", _("Per cent of what can be sold")


class ReservationStatus(TextChoices):
    """A reservation holds stock until it is consumed by a shipment or released."""

    ACTIVE = "active", _("Active")
    CONSUMED = "consumed", _("Consumed")
    RELEASED = "released", _("Released")


class MovementKind(TextChoices):
    """Why stock on hand changed."""

    OPENING = "opening", _("Opening balance")
    RECEIPT = "receipt", _("Receipt")
    SHIPMENT = "shipment", _("Shipment")
    RETURN = "return", _("Return")
    ADJUSTMENT = "adjustment", _("Adjustment")
    TRANSFER_OUT = "transfer_out", _("Transfer out")
    TRANSFER_IN = "transfer_in", _("Transfer in")
    COUNT = "count", _("Count")
    IMPORT = "import", _("Import")


class ReasonUse(TextChoices):
    """Where a reason may be given."""

    ADJUSTMENT = "adjustment", _("Adjustment")
    DISCREPANCY = "discrepancy", _("Discrepancy of a receipt")
    QUALITY = "quality", _("Quality hold")
    INSPECTION = "inspection", _("Inspection of returned goods")


class ReasonDirection(TextChoices):
    """Which way stock may go for a reason."""

    EITHER = "either", _("In or out")
    INTO_STOCK = "in", _("Only in")
    OUT_OF_STOCK = "out", _("Only out")


class DifferenceCheck(TextChoices):
    """Which stored figure is compared with what it is made of."""

    ON_HAND = "on_hand", _("On hand and its movements")
    RESERVED = "reserved", _("Reserved and its reservations")
    QUALITY_HOLD = "quality_hold", _("Held and its quality holds")
    SAFETY = "safety_stock", _("Safety stock and its rules")
    LOT_SUMS = "lot_sums", _("A level and its lots")
    LOT_ROWS = "lot_rows", _("A lot and its rows")
    SHARE = "share", _("Use of a share and its reservations")
    PARCEL = "parcel", _("Open parcels and their reservations")
    NODE_DAY = "node_day", _("A node's day and its parcels")


class DifferenceStatus(TextChoices):
    """What became of a difference."""

    OPEN = "open", _("Open")
    REPAIRED = "repaired", _("Repaired")
    GONE = "gone", _("Gone by itself")


class TransferStatus(TextChoices):
    """How far a transfer is."""

    DRAFT = "draft", _("Draft")
    IN_TRANSIT = "in_transit", _("In transit")
    PART_RECEIVED = "part_received", _("Partly received")
    RECEIVED = "received", _("Received")
    CANCELLED = "cancelled", _("Cancelled")

    UNDERWAY = nonmember(("in_transit", "part_received"))


class ExpectedStatus(TextChoices):
    """How much of an expected receipt has come."""

    OPEN = "open", _("Open")
    PART_RECEIVED = "part_received", _("Partly received")
    RECEIVED = "received", _("Received")
    CANCELLED = "cancelled", _("Cancelled")

    AWAITED = nonmember(("open", "part_received"))


class CountStatus(TextChoices):
    """Whether a count is still under way."""

    OPEN = "open", _("Open")
    APPLIED = "applied", _("Applied")
    CANCELLED = "cancelled", _("Cancelled")


class CountLineStatus(TextChoices):
    """What one line of a count waits for."""

    OPEN = "open", _("To be counted")
    RECOUNT = "recount", _("To be counted again")
    SETTLED = "settled", _("Counted")


class ImportStatus(TextChoices):
    """What became of a stock file."""

    CHECKED = "checked", _("Checked, not imported")
    REFUSED = "refused", _("Refused")
    APPLIED = "applied", _("Imported")
    UNDONE = "undone", _("Undone")


class UploadStatus(TextChoices):
    """What became of an uploaded file."""

    WAITING = "waiting", _("Waiting")
    DONE = "done", _("Worked on")
    FAILED = "failed", _("Failed")


class Capability(TextChoices):
    """What some goods need and not every node can."""

    COLD_CHAIN = "cold_chain", _("Cold chain")
    HAZARDOUS = "hazardous", _("Hazardous goods")
    OVERSIZE = "oversize", _("Bulky goods")
    GIFT_WRAP = "gift_wrap", _("Gift wrapping")
    PICKUP = "pickup", _("Pickup by buyers")
