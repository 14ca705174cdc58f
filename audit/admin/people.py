"""Users and groups: Django's own pages on our base."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from audit.admin import columns
from audit.admin.base import AuditedAdmin

UNSEEN_APPS = ("admin", "contenttypes", "sessions")  # permissions that open no page of the desk
DEEDS = {"add": _("may add"), "change": _("may change"), "delete": _("may delete"), "view": _("may see")}

admin.site.unregister(User)
admin.site.unregister(Group)
POWERS = ("is_staff", "is_superuser", "groups", "user_permissions")


class PermissionField(forms.ModelMultipleChoiceField):
    """Permissions, called in the reader's language."""

    def label_from_instance(self, permission: Permission) -> str:
        """Return what may be done with which rows."""
        kind = permission.content_type
        deed, _underscore, model = permission.codename.partition("_")
        words = DEEDS[deed] if deed in DEEDS and model == kind.model else gettext(permission.name)
        return f"{gettext(kind.app_labeled_name.split(' | ')[0])} | {gettext(kind.name)} | {words}"


class PermissionsMixin:
    """Offers the permissions that matter at the desk."""

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Name permissions in the reader's language and leave out those that open no page."""
        if db_field.name in ("permissions", "user_permissions"):
            rows = Permission.objects.exclude(content_type__app_label__in=UNSEEN_APPS)
            rows = rows.exclude(content_type__model__startswith="historical").select_related("content_type")
            kwargs |= {"queryset": rows.order_by("content_type__app_label", "content_type__model", "codename"),
                       "form_class": PermissionField}  # fmt: skip
        return super().formfield_for_manytomany(db_field, request, **kwargs)  # type: ignore[misc]


@admin.register(User)
class UserAdmin(PermissionsMixin, DjangoUserAdmin, AuditedAdmin):  # type: ignore[misc]
    """People who may enter. Only a superuser hands out powers or touches another superuser."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    change_form_template = AuditedAdmin.change_form_template  # type: ignore[misc]
    add_form_template = AuditedAdmin.change_form_template
    list_display = ("username", "full_name", "staff", "active", "seen")
    list_filter = ()
    ordering = ("username",)
    include_object_permissions_urls = False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Keep powers out of the hands of those who are no superusers."""
        return super().get_readonly_fields(request, obj) if request.user.is_superuser else POWERS

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Protect superusers from everybody else, their passwords included."""
        is_above = isinstance(obj, User) and obj.is_superuser and not request.user.is_superuser
        return not is_above and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Protect superusers from everybody else."""
        is_above = isinstance(obj, User) and obj.is_superuser and not request.user.is_superuser
        return not is_above and super().has_delete_permission(request, obj)

    @admin.display(description=_("name"))
    def full_name(self, user: User) -> str:
        """Show the person's name."""
        return user.get_full_name() or "–"

    @admin.display(description=_("may enter the desk"))
    def staff(self, user: User) -> SafeString:
        """Show whether the person may enter, and with all powers."""
        if user.is_superuser:
            return columns.label(_("superuser"), "violet")
        return columns.label(_("yes"), "green") if user.is_staff else columns.label(_("no"))

    @admin.display(description=_("active"))
    def active(self, user: User) -> SafeString:
        """Show whether the account works."""
        return columns.label(_("yes"), "green") if user.is_active else columns.label(_("no"), "red")

    @admin.display(description=_("last login"))
    def seen(self, user: User) -> SafeString:
        """Show when the person last logged in."""
        return columns.age(user.last_login)


@admin.register(Group)
class GroupAdmin(PermissionsMixin, DjangoGroupAdmin, AuditedAdmin):  # type: ignore[misc]
    """Sets of permissions."""

    ordering = ("name",)
    include_object_permissions_urls = False
    empty_hint = _("No groups yet. A group gives its members permissions: add one per role.")
