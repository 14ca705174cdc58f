"""The one shape of everything that is drafted, checked, approved, scheduled, live and retired."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.statuses import VersionStatus


class GovernedVersion(models.Model):
    """One version of a rule. From its submission on its body never changes; a change is the next version.

    A subclass adds a foreign key to its subject and names it in ``subject_field``; of a subject at most one version is
    being prepared and at most one is in force. See ``audit.services.versions``.
    """

    subject_field: str

    number = models.PositiveIntegerField(_("version"))
    based_on = models.PositiveIntegerField(
        _("based on version"), null=True, blank=True, help_text=_("Which version it was drafted from.")
    )
    status = models.CharField(_("status"), max_length=10, choices=VersionStatus, default=VersionStatus.DRAFT)
    body = models.JSONField(_("rule"), encoder=DjangoJSONEncoder)
    digest = models.CharField(_("digest"), max_length=64, db_collation="C")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("author")
    )
    writers = ArrayField(
        models.IntegerField(), default=list, verbose_name=_("written by"),
        help_text=_("Everybody who ever wrote on it: none of them may approve it."),
    )  # fmt: skip
    drafted_at = models.DateTimeField(_("drafted at"))
    publish_at = models.DateTimeField(
        _("goes live at"), null=True, blank=True, help_text=_("Empty: as soon as it is approved and published.")
    )
    live_at = models.DateTimeField(_("live since"), null=True, blank=True)
    paused_at = models.DateTimeField(_("paused at"), null=True, blank=True)
    retired_at = models.DateTimeField(_("retired at"), null=True, blank=True)

    class Meta:
        abstract = True

    @property
    def is_editable(self) -> bool:
        """Return whether its body may still change."""
        return self.status in VersionStatus.EDITABLE

    @property
    def object_key(self) -> str:
        """Return the words by which approvals name this row."""
        return f"{self._meta.label_lower}:{self.pk}"


def constraints_of(subject: str, name: str) -> list[models.BaseConstraint]:
    """Return the constraints of every version table: ``subject`` is its foreign key, ``name`` begins their names."""
    return [
        models.UniqueConstraint(fields=[subject, "number"], name=f"{name}_version_has_one_number"),
        models.UniqueConstraint(
            fields=[subject], condition=Q(status__in=VersionStatus.OPEN), name=f"{name}_has_one_draft"
        ),
        models.UniqueConstraint(
            fields=[subject], condition=Q(status__in=VersionStatus.IN_FORCE), name=f"{name}_has_one_version_in_force"
        ),
    ]
