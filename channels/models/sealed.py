"""A column for secrets: what is assigned as names and values is sealed on saving; what is read stays sealed."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models

from channels.rules import vault


def ring() -> vault.Ring:
    """Return the installation's keys; raises ``ImproperlyConfigured`` where they are missing or cannot be read."""
    return _ring(settings.HUB_SECRET_KEYS, settings.SECRET_KEY, settings.SECRET_KEYS_REQUIRED)


def owner(channel_id: int) -> str:
    """Return to whom a channel's secrets are bound."""
    return f"channel:{channel_id}"


@lru_cache(maxsize=8)
def _ring(keys: str, secret: str, is_required: bool) -> vault.Ring:
    if not keys and is_required:
        raise ImproperlyConfigured("HUB_SECRET_KEYS is not set: an installation for real has keys of its own.")
    try:
        return vault.ring_from(keys) if keys else vault.derived_ring(secret)
    except vault.BadKeys as error:
        raise ImproperlyConfigured(f"HUB_SECRET_KEYS cannot be read: {error}.") from None


class SealedField(models.TextField):
    """Names and values at rest under AES-256-GCM, bound to the row's key, which must be known when it is saved.

    Plain values never reach the database: a statement that would write them fails with ``TypeError``.
    """

    # what may be assigned, for the type checker
    _pyi_private_set_type: str | Mapping[str, Any]  # type: ignore[assignment]

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """Seal what was assigned as a mapping and put the sealed text on the row."""
        value = getattr(model_instance, self.attname)
        if isinstance(value, Mapping):
            if value and model_instance.pk is None:
                raise TypeError(f"{self.name} can be sealed only for a row that has its key")
            plain = json.dumps(dict(value), ensure_ascii=False).encode()
            value = vault.seal(plain, ring(), owner=owner(model_instance.pk)) if value else ""
            setattr(model_instance, self.attname, value)
        return value

    def get_prep_value(self, value: Any) -> Any:
        """Let only sealed texts through."""
        if value is not None and not isinstance(value, str):
            raise TypeError(f"{self.name} is not sealed")
        return super().get_prep_value(value)
