"""What must go out. Written in the transaction that caused it; the row is the job, the broker only a wake-up."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.models.sentences import SentenceField
from channels.models.channel import Channel
from channels.statuses import AttemptOutcome, Lane, OutboundStatus


class OutboundMessage(models.Model):
    """One message to an outside system, tried until it is accepted or needs a person."""

    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, verbose_name=_("channel"), db_index=False)
    lane = models.CharField(_("lane"), max_length=10, choices=Lane)
    kind = models.CharField(_("kind"), max_length=20)
    key = models.CharField(_("key"), max_length=120, db_collation="C", help_text=_("Sent once per key."))
    subject = models.CharField(_("about"), max_length=120, db_collation="C")
    body = models.JSONField(_("body"))
    status = models.CharField(_("status"), max_length=12, choices=OutboundStatus, default=OutboundStatus.PENDING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    not_before = models.DateTimeField(_("not before"))
    created_at = models.DateTimeField(_("created at"))
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    reason = SentenceField(verbose_name=_("reason"))
    response = models.TextField(_("last answer"), blank=True)
    first_body = models.JSONField(
        _("body before it was edited"), null=True, blank=True, help_text=_("Kept when a person mends a message.")
    )
    edited_by = models.CharField(_("edited by"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("outbound message")
        verbose_name_plural = _("outbox")
        constraints = [models.UniqueConstraint(fields=["key"], name="a_key_goes_out_once")]
        indexes = [
            models.Index(fields=["lane", "not_before", "id"], condition=Q(status="pending"), name="outbox_to_do"),
            models.Index(
                fields=["channel", "lane", "not_before", "id"], condition=Q(status="pending"), name="outbox_of_channel"
            ),
            models.Index(fields=["subject"], name="outbox_subject"),
            models.Index(fields=["channel", "created_at"], name="outbox_range"),
            models.Index(fields=["-id"], condition=Q(status="needs_person"), name="outbox_needs_person"),
        ]

    def __str__(self) -> str:
        return self.key


class DeliveryAttempt(models.Model):
    """One try to deliver a message: when, how long, and what the other side said. Append-only, pruned by age."""

    message = models.ForeignKey(
        OutboundMessage, on_delete=models.CASCADE, related_name="tries", verbose_name=_("message")
    )
    attempted_at = models.DateTimeField(_("tried at"))
    milliseconds = models.PositiveIntegerField(_("took (ms)"))
    outcome = models.CharField(_("outcome"), max_length=10, choices=AttemptOutcome)
    answer = models.CharField(_("answer"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("try to deliver")
        verbose_name_plural = _("tries to deliver")
        indexes = [models.Index(fields=["-attempted_at"], name="delivery_attempt_newest")]

    def __str__(self) -> str:
        return f"{self.message_id}: {self.outcome}"
