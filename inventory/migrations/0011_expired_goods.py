"""The reason under which goods past their date are held back."""

from django.db import migrations

REASON = {"use": "quality", "code": "expired"}


def add(apps, schema_editor):
    apps.get_model("inventory", "ReasonCode").objects.get_or_create(
        **REASON, defaults={"name": "过期", "name_en": "Expired", "direction": "either", "needs_note": False}
    )


def remove(apps, schema_editor):
    apps.get_model("inventory", "ReasonCode").objects.filter(**REASON).delete()


class Migration(migrations.Migration):
    dependencies = [("inventory", "0010_lots_in_documents")]
    operations = [migrations.RunPython(add, remove)]
