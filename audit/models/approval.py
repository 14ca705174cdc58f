"""Four eyes: what waits for another person's yes, and who gave it."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from audit.models.sentences import SentenceField
from audit.statuses import ApprovalStatus


class ApprovalRequest(models.Model):
    """One version that its author wants in force: what it says, what it changes and what it is expected to do.

    The digest binds every yes to exactly what was read. Audit knows no owner's row: ``object_key`` names it by words.
    """

    object_key = models.CharField(
        _("object"), max_length=80, db_collation="C", help_text=_("Model and primary key, as promotions.promotion:7.")
    )
    subject = models.CharField(_("about"), max_length=120, help_text=_("What it is about, as people call it."))
    subject_url = models.CharField(_("link"), max_length=200, blank=True)
    permission = models.CharField(_("who may approve"), max_length=100, help_text=_("The permission that is needed."))
    digest = models.CharField(_("digest"), max_length=64, db_collation="C")
    title = SentenceField(verbose_name=_("what it says"))
    changes = models.JSONField(_("what it changes"), default=list, help_text=_("Sentences."))
    effect = models.JSONField(_("what it is expected to do"), default=list, help_text=_("Sentences."))
    approvals_needed = models.PositiveSmallIntegerField(_("approvals needed"), default=1)
    status = models.CharField(_("status"), max_length=10, choices=ApprovalStatus, default=ApprovalStatus.WAITING)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("author")
    )
    writers = ArrayField(models.IntegerField(), default=list, verbose_name=_("written by"))
    reason = models.CharField(_("reason"), max_length=300)
    submitted_at = models.DateTimeField(_("submitted at"))
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)

    class Meta:
        verbose_name = _("request for approval")
        verbose_name_plural = _("requests for approval")
        constraints = [
            models.UniqueConstraint(
                fields=["object_key"], condition=Q(status="waiting"), name="an_object_waits_once_for_approval"
            ),
            models.CheckConstraint(condition=Q(approvals_needed__gt=0), name="somebody_must_approve"),
        ]
        indexes = [
            models.Index(fields=["status", "submitted_at"], name="approval_queue"),
            models.Index(fields=["object_key", "-id"], name="approval_of_object"),
        ]

    def __str__(self) -> str:
        return self.subject


class Approval(models.Model):
    """One person's yes or no to one request. Append-only; the author's own is impossible."""

    request = models.ForeignKey(
        ApprovalRequest, on_delete=models.PROTECT, related_name="approvals", verbose_name=_("request")
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("author"),
        help_text=_("The request's author, kept here so that the database itself forbids one's own yes."),
    )  # fmt: skip
    approver = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("decided by")
    )
    is_yes = models.BooleanField(_("approved"))
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    digest = models.CharField(_("digest"), max_length=64, db_collation="C", help_text=_("Of what was read."))
    decided_at = models.DateTimeField(_("decided at"))

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        constraints = [
            models.CheckConstraint(condition=~Q(approver=F("author")), name="nobody_approves_their_own"),
            models.UniqueConstraint(fields=["request", "approver"], name="a_person_decides_once"),
        ]

    def __str__(self) -> str:
        return f"{self.request_id}: {self.approver_id}"
