"""Cases: everything that needs a person, in one queue."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.models.sentences import SentenceField
from audit.statuses import CaseStatus


class Case(models.Model):
    """Something a machine could not decide: what, why, what to do, and where."""

    kind = models.CharField(_("kind"), max_length=40, help_text=_("What sort of trouble; groups cases of one cause."))
    status = models.CharField(_("status"), max_length=12, choices=CaseStatus, default=CaseStatus.OPEN)
    subject = models.CharField(_("about"), max_length=120, help_text=_("What it is about, as people call it."))
    subject_url = models.CharField(_("link"), max_length=200, blank=True)
    why = SentenceField(verbose_name=_("why"))
    suggestion = SentenceField(verbose_name=_("suggested action"))
    opened_at = models.DateTimeField(_("opened at"))
    resolved_at = models.DateTimeField(_("resolved at"), null=True, blank=True)
    resolved_by = models.CharField(_("resolved by"), max_length=80, blank=True)
    resolution = models.CharField(_("resolution"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("case")
        verbose_name_plural = _("cases")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"], condition=Q(status="open"), name="one_open_case_per_kind_and_subject"
            ),
        ]
        indexes = [models.Index(fields=["status", "-opened_at"], name="audit_case_queue")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.subject}"
