"""What came in, exactly as it came, and what became of it."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.models.sentences import SentenceField
from channels.models.channel import Channel
from channels.statuses import InboundKind, InboundSource, InboundStatus


class InboundMessage(models.Model):
    """One message of a channel. The same message again only raises ``times_received``."""

    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, verbose_name=_("channel"), db_index=False)
    kind = models.CharField(_("kind"), max_length=10, choices=InboundKind, default=InboundKind.ORDER)
    external_id = models.CharField(_("channel's number"), max_length=80, db_collation="C")
    revision = models.BigIntegerField(_("revision"), default=0)
    payload = models.BinaryField(_("payload"))
    source = models.CharField(
        _("source"), max_length=10, choices=InboundSource, default=InboundSource.PUSH, db_default=InboundSource.PUSH
    )
    status = models.CharField(_("status"), max_length=12, choices=InboundStatus, default=InboundStatus.RECEIVED)
    reason_code = models.CharField(_("reason code"), max_length=40, blank=True)
    reason = SentenceField(verbose_name=_("reason"))
    times_received = models.PositiveIntegerField(_("times received"), default=1)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    received_at = models.DateTimeField(_("received at"))
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        verbose_name = _("inbound message")
        verbose_name_plural = _("inbox")
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "external_id", "kind", "revision"], name="a_channel_says_a_thing_once"
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(status="received"), name="inbox_to_do"),
            models.Index(fields=["channel", "external_id"], condition=Q(status="waiting"), name="inbox_waiting"),
            models.Index(fields=["-received_at", "-id"], condition=~Q(status="done"), name="inbox_not_done"),
            models.Index(fields=["-received_at", "-id"], name="inbox_newest"),
            models.Index(fields=["channel", "-received_at"], condition=Q(source="reconcile"), name="inbox_reconciled"),
        ]

    def __str__(self) -> str:
        return f"{self.channel_id}/{self.external_id}#{self.revision}"
