"""Credentials at rest are sealed texts. Backwards they are plain JSON again."""

import json
from typing import Any

from django.db import migrations, models

import channels.models.sealed
from channels.models.sealed import owner, ring
from channels.rules import vault


def seal(apps: Any, _editor: Any) -> None:
    """Seal what is stored, row by row: there are as many rows as channels."""
    channels_of_then = apps.get_model("channels", "Channel").objects
    for pk, plain in channels_of_then.order_by("pk").values_list("pk", "credentials"):
        values = json.loads(plain or "{}")
        sealed = vault.seal(json.dumps(values, ensure_ascii=False).encode(), ring(), owner=owner(pk)) if values else ""
        channels_of_then.filter(pk=pk).update(credentials=sealed)


def unseal(apps: Any, _editor: Any) -> None:
    """Write plain JSON again; fails on credentials that do not open rather than lose them."""
    channels_of_then = apps.get_model("channels", "Channel").objects
    for pk, sealed in channels_of_then.order_by("pk").values_list("pk", "credentials"):
        plain = vault.open_sealed(sealed, ring(), owner=owner(pk)).decode() if sealed else "{}"
        channels_of_then.filter(pk=pk).update(credentials=plain)


class Migration(migrations.Migration):
    """The column becomes text, what it holds is sealed, and from then on only sealed texts fit."""

    dependencies = [("channels", "0005_channel_setup")]

    operations = [
        migrations.AlterField(
            model_name="channel",
            name="credentials",
            field=channels.models.sealed.SealedField(blank=True, default="", verbose_name="credentials"),
        ),
        migrations.RunPython(seal, unseal),
        migrations.AddConstraint(
            model_name="channel",
            constraint=models.CheckConstraint(
                condition=models.Q(("credentials", ""), ("credentials__startswith", "v1:"), _connector="OR"),
                name="credentials_are_sealed",
            ),
        ),
    ]
