"""Permissions on single rows (django-guardian): who may see or change this node, channel or SKU only."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from guardian.admin import GuardedModelAdminMixin
from guardian.shortcuts import get_objects_for_user

MAY_GRANT = "guardian.change_userobjectpermission"


class GrantsMixin(GuardedModelAdminMixin):
    """Rows can be granted to people one by one; whoever has only such grants sees a list of those rows."""

    model: type[Model]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the user may see the model, this row, or (with no row) any row of it."""
        return super().has_view_permission(request, obj) or self._is_granted(request, "view", obj)  # type: ignore[misc]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the user may change the model or this row."""
        if super().has_change_permission(request, obj):  # type: ignore[misc]
            return True
        return isinstance(obj, Model) and self._is_granted(request, "change", obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Show all rows to those who may see the model, and the granted ones to the others."""
        rows = super().get_queryset(request)
        if not self.include_object_permissions_urls or request.user.has_perm(self._code("view")):
            return rows
        if request.user.has_perm(self._code("change")):
            return rows
        return rows.filter(pk__in=self._granted(request).values("pk"))

    def obj_perms_manage_view(self, request: HttpRequest, object_pk: str) -> HttpResponse:
        """Show who holds grants on a row, to those who may give them."""
        _require_granting(request)
        return super().obj_perms_manage_view(request, object_pk)

    def obj_perms_manage_user_view(self, request: HttpRequest, object_pk: str, user_id: str) -> HttpResponse:
        """Change a person's grants on a row, for those who may give them."""
        _require_granting(request)
        return super().obj_perms_manage_user_view(request, object_pk, user_id)

    def obj_perms_manage_group_view(self, request: HttpRequest, object_pk: str, group_id: str) -> HttpResponse:
        """Change a group's grants on a row, for those who may give them."""
        _require_granting(request)
        return super().obj_perms_manage_group_view(request, object_pk, group_id)

    def _is_granted(self, request: HttpRequest, deed: str, obj: Any) -> bool:
        if not self.include_object_permissions_urls or not request.user.is_active:
            return False
        if isinstance(obj, Model):
            return request.user.has_perm(self._code(deed), obj) or (
                deed == "view" and request.user.has_perm(self._code("change"), obj)
            )
        known: dict[str, bool] = request.__dict__.setdefault("_desk_grants", {})
        label = self.model._meta.label
        if label not in known:
            known[label] = self._granted(request).exists()
        return known[label]

    def _granted(self, request: HttpRequest) -> QuerySet[Any]:
        codes = [self._code("view"), self._code("change")]
        return get_objects_for_user(request.user, codes, klass=self.model, any_perm=True)

    def _code(self, deed: str) -> str:
        return f"{self.model._meta.app_label}.{deed}_{self.model._meta.model_name}"


def _require_granting(request: HttpRequest) -> None:
    if not request.user.has_perm(MAY_GRANT):
        raise PermissionDenied
