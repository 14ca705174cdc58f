"""An order as every channel's orders look once they are ours."""

from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from channels.models import Channel
from inventory.models import Sku
from orders.statuses import DeliveryMethod, GoodsState, MoneyState, OrderStatus


class Customer(models.Model):
    """A buyer as one channel knows them: an opaque key and the name the channel shows."""

    PERSONAL_DATA = ("external_key", "name")

    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, verbose_name=_("channel"), db_index=False)
    external_key = models.CharField(_("channel's key"), max_length=80, db_collation="C")
    name = models.CharField(_("name"), max_length=80, blank=True)
    tier = models.CharField(_("member tier"), max_length=20, blank=True, default="", db_default="")
    segments = ArrayField(
        models.CharField(max_length=40), default=list, db_default=[], blank=True, verbose_name=_("segments")
    )

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        constraints = [
            models.UniqueConstraint(fields=["channel", "external_key"], name="a_channel_knows_a_buyer_once"),
        ]

    def __str__(self) -> str:
        return self.name or self.external_key


class Order(models.Model):
    """One order of one channel, never split or merged; its parcels are fulfillments."""

    PERSONAL_DATA = ("recipient_name", "recipient_phone", "recipient_address", "recipient_token", "buyer_note")

    number = models.CharField(_("number"), max_length=102, db_collation="C")
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, verbose_name=_("channel"), db_index=False)
    external_id = models.CharField(_("channel's number"), max_length=80, db_collation="C")
    # The newest thing the channel said about the whole order, its address and its note: each may come late by itself.
    revision = models.BigIntegerField(_("revision"), default=0)
    address_revision = models.BigIntegerField(_("revision of the address"), default=0)
    note_revision = models.BigIntegerField(_("revision of the note"), default=0)
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, null=True, blank=True, verbose_name=_("buyer"), related_name="orders"
    )
    # Three axes and what they add up to; written by services/progress.py only.
    status = models.CharField(_("status"), max_length=18, choices=OrderStatus, default=OrderStatus.RECEIVED)
    money_state = models.CharField(_("money"), max_length=10, choices=MoneyState, default=MoneyState.UNPAID)
    goods_state = models.CharField(_("goods"), max_length=14, choices=GoodsState, default=GoodsState.RECEIVED)
    open_holds = models.PositiveSmallIntegerField(_("open holds"), default=0)

    currency = models.CharField(_("currency"), max_length=3, default="CNY")
    goods_amount = models.DecimalField(_("goods"), max_digits=14, decimal_places=2, default=Decimal(0))
    discount_amount = models.DecimalField(_("discount"), max_digits=14, decimal_places=2, default=Decimal(0))
    shipping_amount = models.DecimalField(_("shipping"), max_digits=14, decimal_places=2, default=Decimal(0))
    total_amount = models.DecimalField(_("total"), max_digits=14, decimal_places=2, default=Decimal(0))
    paid_amount = models.DecimalField(_("paid"), max_digits=14, decimal_places=2, default=Decimal(0))

    country = models.CharField(_("country"), max_length=2, default="CN")
    region = models.CharField(_("province"), max_length=6, blank=True, help_text=_("Province code, or country abroad."))
    city = models.CharField(_("city"), max_length=60, blank=True)
    district = models.CharField(_("district"), max_length=60, blank=True)
    recipient_name = models.CharField(_("recipient"), max_length=80, blank=True)
    recipient_phone = models.CharField(_("phone"), max_length=40, blank=True)
    recipient_address = models.CharField(_("address"), max_length=300, blank=True)
    recipient_token = models.CharField(_("receiver token"), max_length=500, blank=True)
    buyer_note = models.CharField(_("buyer's note"), max_length=500, blank=True)
    seller_note = models.CharField(_("seller's note"), max_length=500, blank=True)

    coupon_codes = ArrayField(
        models.CharField(max_length=40), default=list, db_default=[], blank=True, verbose_name=_("coupons"),
        help_text=_("What the buyer gave."),
    )  # fmt: skip
    store_code = models.CharField(_("store"), max_length=40, blank=True, default="", db_default="")

    placed_at = models.DateTimeField(_("placed at"))
    received_at = models.DateTimeField(_("received at"))
    paid_at = models.DateTimeField(_("paid at"), null=True, blank=True)
    ship_by = models.DateTimeField(_("ship by"), null=True, blank=True)
    method = models.CharField(
        _("delivery method"), max_length=10, choices=DeliveryMethod, default=DeliveryMethod.STANDARD,
        db_default=DeliveryMethod.STANDARD.value,
    )  # fmt: skip
    deliver_by = models.DateTimeField(
        _("deliver by"), null=True, blank=True, help_text=_("What the buyer was promised when buying; never moved.")
    )
    arrives_from = models.DateField(_("arrives from"), null=True, blank=True, help_text=_("As planned now."))
    arrives_until = models.DateField(_("arrives until"), null=True, blank=True, help_text=_("As planned now."))
    priority = models.SmallIntegerField(
        _("priority"), default=0, db_default=0, help_text=_("Higher is served first when stock comes.")
    )
    promised_date = models.DateField(
        _("promised for"), null=True, blank=True, help_text=_("When the stock it waits for is expected.")
    )
    reserved_until = models.DateTimeField(
        _("reserved until"), null=True, blank=True, help_text=_("When an unpaid order loses its stock.")
    )
    shipped_at = models.DateTimeField(_("shipped at"), null=True, blank=True)
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True)
    cancelled_at = models.DateTimeField(_("cancelled at"), null=True, blank=True)
    cancel_reason = models.CharField(_("cancel reason"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        permissions = [("view_order_personal", "Can see buyers' personal data")]
        constraints = [
            models.UniqueConstraint(fields=["number"], name="an_order_number_is_unique"),
            models.UniqueConstraint(fields=["channel", "external_id"], name="a_channel_order_exists_once"),
            models.CheckConstraint(
                condition=Q(total_amount__gte=0) & Q(discount_amount__gte=0), name="an_order_is_never_negative"
            ),
        ]
        indexes = [
            models.Index(fields=["-placed_at", "-id"], name="order_newest"),
            models.Index(fields=["channel", "-placed_at", "-id"], name="order_channel"),
            models.Index(fields=["status", "-placed_at", "-id"], name="order_status"),
            models.Index(fields=["region", "-placed_at", "-id"], name="order_region"),
            models.Index(fields=["ship_by"], condition=Q(status__in=OrderStatus.OPEN), name="order_deadline"),
            models.Index(
                fields=["reserved_until"], condition=Q(reserved_until__isnull=False), name="order_reserved_until"
            ),
            models.Index(fields=["external_id"], name="order_external_id"),
            models.Index(fields=["total_amount"], name="order_amount"),
            models.Index(fields=["recipient_phone"], condition=~Q(recipient_phone=""), name="order_phone"),
        ]

    def __str__(self) -> str:
        return self.number


class OrderLine(models.Model):
    """One line as sold. ``sku`` is empty while nobody knows what the channel's code means."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines", verbose_name=_("order"))
    line_number = models.PositiveSmallIntegerField(_("line"))
    external_id = models.CharField(_("channel's line"), max_length=80, db_collation="C")
    external_sku = models.CharField(_("channel's SKU"), max_length=80, blank=True)
    sku = models.ForeignKey(Sku, on_delete=models.PROTECT, null=True, blank=True, verbose_name=_("SKU"))
    title = models.CharField(_("title"), max_length=200, blank=True)
    quantity = models.PositiveIntegerField(_("quantity"))
    quantity_allocated = models.PositiveIntegerField(_("allocated"), default=0)
    quantity_shipped = models.PositiveIntegerField(_("shipped"), default=0)
    unit_price = models.DecimalField(_("unit price"), max_digits=14, decimal_places=4)
    discount_amount = models.DecimalField(_("discount"), max_digits=14, decimal_places=2, default=Decimal(0))
    net_amount = models.DecimalField(_("net"), max_digits=14, decimal_places=2, default=Decimal(0))
    promotion_amount = models.DecimalField(
        _("off by our promotions"), max_digits=14, decimal_places=2, default=Decimal(0), db_default=Decimal(0),
        help_text=_("The part of the discount that our own rules granted."),
    )  # fmt: skip
    promotion_code = models.CharField(
        _("promotion"), max_length=40, blank=True, default="", db_default="", db_collation="C",
        help_text=_("Which promotion a gift comes from."),
    )  # fmt: skip
    promised_date = models.DateField(_("promised for"), null=True, blank=True)
    is_gift = models.BooleanField(_("gift"), default=False)
    is_cancelled = models.BooleanField(_("cancelled"), default=False)

    class Meta:
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity_allocated__lte=F("quantity")) & Q(quantity_shipped__lte=F("quantity")),
                name="never_allocate_or_ship_more_than_ordered",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.line_number}: {self.quantity} × {self.external_sku}"
