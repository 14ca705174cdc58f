"""Stock's papers in every state that a page can show: promised, late, received, counted, counted again, failed."""

from datetime import date, timedelta
from decimal import Decimal

from django.utils import timezone

from audit.rules.actors import Actor
from inventory.models import ExpectedReceipt, Receipt, RemainingLife, SafetyRule, Sku, StockCount, StockUpload, Transfer
from inventory.queries import risk
from inventory.services import counts, lots, movements, receipts, safety_rules, transfers, uploads
from inventory.services.movements import Movement
from inventory.services.receipts import Arrival
from inventory.statuses import MovementKind
from tests.small_company import NOON, TESTER

BOSS = Actor("person", "boss")


def keep_safe(cup: Sku) -> None:
    """Draft a rule for every level that replaces nothing, and publish one for cups."""
    begins = NOON + timedelta(days=1)
    for rule in (
        SafetyRule(name="NEW", kind="days", amount=Decimal(2)),
        SafetyRule(name="Cups", kind="percent", amount=Decimal(10), sku=cup),
        SafetyRule(name="Autumn", amount=Decimal(1), starts_at=begins),
    ):
        safety_rules.save_draft(rule, reason="Test", actor=TESTER, at=NOON)
    for rule in SafetyRule.objects.exclude(name="NEW").order_by("pk"):
        safety_rules.publish(rule.pk, reason="Test", actor=TESTER, at=NOON)


def receive_goods(cup: Sku, lid: Sku, near) -> ExpectedReceipt:
    """Promise cups and lids, receive some of them with damage, and leave the rest late."""
    Sku.objects.filter(pk=lid.pk).update(tracks_lots=True)
    order = ExpectedReceipt(number="1", node=near, supplier="Crew", due_date=date(2026, 11, 1))
    receipts.expect(order, units={cup.pk: 9, lid.pk: 2}, actor=TESTER, at=NOON)
    receipt = Receipt(number="1", node=near, expected=order)
    came = [Arrival(cup.pk, 3, 1, "damaged", "Test")]
    receipts.receive(receipt, arrivals=came, actor=TESTER, at=NOON)
    return order


def count_goods(cup: Sku, near) -> tuple[StockCount, StockCount]:
    """Begin a count that waits for another person than the boss, and one that is settled."""
    Sku.objects.filter(pk=cup.pk).update(unit_cost=Decimal(30))
    first, *others = risk.ranking(near.pk)
    open_count = StockCount(number="1", node=near)
    counts.begin(open_count, risks=[first], actor=TESTER, at=NOON)
    counts.tell(open_count.pk, units={first.sku_id: 0}, actor=BOSS, at=NOON)
    settled = StockCount(number="2", node=near, limit_percent=Decimal(100), limit_value=Decimal(99999))
    counts.begin(settled, risks=others, actor=TESTER, at=NOON)
    counts.tell(settled.pk, units={one.sku_id: 1 for one in others}, actor=BOSS, at=NOON)
    return open_count, settled


def send_goods(cup: Sku, near, far) -> tuple[Transfer, Transfer]:
    """Write one transfer down, and send another."""
    draft, sent = (Transfer(number=number, source=near, destination=far) for number in ("8", "9"))
    for row in (draft, sent):
        transfers.draft(row, units={cup.pk: 1}, actor=TESTER, at=NOON)
    transfers.send([sent.pk], actor=TESTER, at=NOON)
    return draft, sent


def upload_files(at) -> tuple[StockUpload, StockUpload]:
    """Leave a file that waits, beside one that could not be read."""
    broken, waiting = (StockUpload(key=key, file_name="1.csv", is_dry_run=False, language="en") for key in "ab")
    uploads.keep(broken, content=b"1,2\n", actor=TESTER, at=at - timedelta(minutes=1))
    uploads.run_waiting(at=lambda: at)
    uploads.keep(waiting, content=b"sku,node,on_hand\n", actor=TESTER, at=at)
    return broken, waiting


def date_goods(sku: Sku, node) -> None:
    """Receive one lot that is over, one that soon will be, one that keeps and one without a date; say who asks what."""
    today = timezone.localdate()
    for code, days in (("GHOST", -3), ("NEW", 3), ("Autumn", 90), ("", None)):
        expires_date = None if days is None else today + timedelta(days=days)
        [lot_id] = lots.named([lots.Label(sku.pk, code, expires_date)], at=NOON).values()
        change = Movement(f"lot {code}", sku.pk, node.pk, MovementKind.RECEIPT, 2, lot_id=lot_id)
        movements.record([change], actor=TESTER, at=NOON)
    RemainingLife.objects.create(channel="JD", category=sku.category, days=30)
    RemainingLife.objects.create(days=1)
