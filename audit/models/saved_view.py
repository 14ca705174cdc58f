"""Lists that people want to come back to: the filters of a page under a name."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class SavedView(models.Model):
    """One filtered list of one kind of row, for its owner or for everybody."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, verbose_name=_("owner"))
    list_label = models.CharField(_("list"), max_length=80, help_text=_("The list's model, e.g. orders.order."))
    name = models.CharField(_("name"), max_length=40)
    query = models.CharField(_("filters"), max_length=500, help_text=_("The part of the address after the ?."))
    is_shared = models.BooleanField(_("for everybody"), default=False)

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        constraints = [
            models.UniqueConstraint(fields=["owner", "list_label", "name"], name="an_owner_names_a_view_once"),
        ]
        indexes = [models.Index(fields=["list_label"], name="saved_view_list")]

    def __str__(self) -> str:
        return self.name
