"""Goods with lots, small enough to check by hand."""

from datetime import timedelta

from inventory.models import Lot, LotLevel, RemainingLife, StockLevel
from inventory.queries import lots as questions
from inventory.services import lots, movements
from inventory.statuses import MovementKind
from tests import small_company as company
from tests.small_company import NOON, TESTER

TODAY = NOON.date()  # in Shanghai too


def after(days):
    return TODAY + timedelta(days=days)


def milk(code="MILK"):
    """Make a SKU whose goods have lots."""
    row = company.sku(code)
    row.tracks_lots = True
    row.save()
    return row


def lot(what, code, expires=None):
    """Write a lot down."""
    [pk] = lots.named([lots.Label(what.pk, code, expires)], at=NOON).values()
    return Lot.objects.get(pk=pk)


def put(row, where, units, key=""):
    """Receive units of a lot at a node."""
    key = key or f"in:{row.sku_id}:{row.code}@{where.code}:{units}"
    change = movements.Movement(key, row.sku_id, where.pk, MovementKind.RECEIPT, units, lot_id=row.pk)
    movements.record([change], actor=TESTER, at=NOON)


def ask_for(channel, days, category=None):
    """Say how long goods must keep for a channel."""
    RemainingLife.objects.create(channel=channel, category=category, days=days)


def lying(what, where):
    """Return what lies there: lot code → on hand, reserved, held."""
    rows = LotLevel.objects.filter(sku=what, node=where).order_by("lot__code")
    return {
        code: tuple(figures) for code, *figures in rows.values_list("lot__code", "on_hand", "reserved", "quality_hold")
    }


def level(what, where):
    """Return the level: on hand, reserved, held."""
    return StockLevel.objects.values_list("on_hand", "reserved", "quality_hold").get(sku=what, node=where)


def adds_up(what, where):
    """Return whether the lots of a level add up to it."""
    sums = tuple(map(sum, zip(*lying(what, where).values(), strict=True))) or (0, 0, 0)
    return sums == level(what, where)


def unfit(what, channels=("",), day=TODAY):
    """Return what must not count for each channel."""
    return questions.unfit_units([what.pk], channels, day)
