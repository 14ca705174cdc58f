"""The reasons that every company starts with; people add, rename and retire them at their desk."""

from django.db import migrations

# use, code, name, English name, direction, needs a note
REASONS = (
    ("adjustment", "damaged", "破损", "Damaged", "out", False),
    ("adjustment", "expired", "过期", "Expired", "out", False),
    ("adjustment", "lost", "丢失", "Lost", "out", False),
    ("adjustment", "found", "找回", "Found", "in", False),
    ("adjustment", "own_use", "自用或样品", "Own use or sample", "out", True),
    ("adjustment", "correction", "更正记录", "Correction of a record", "either", True),
    ("discrepancy", "short", "少到", "Fewer came", "either", False),
    ("discrepancy", "damaged", "到货破损", "Damaged on arrival", "either", False),
    ("discrepancy", "wrong_item", "错货", "Wrong item", "either", True),
    ("quality", "suspected", "疑似缺陷", "Suspected defect", "either", False),
    ("quality", "recall", "召回", "Recall", "either", True),
    ("quality", "inspection", "待检", "Waits for inspection", "either", False),
    ("inspection", "as_new", "完好", "As new", "in", False),
    ("inspection", "repack", "需重新包装", "To be repacked", "in", False),
    ("inspection", "defective", "有缺陷", "Defective", "either", False),
)


def add(apps, schema_editor):
    reason = apps.get_model("inventory", "ReasonCode")
    reason.objects.bulk_create(
        reason(use=use, code=code, name=name, name_en=name_en, direction=direction, needs_note=needs_note)
        for use, code, name, name_en, direction, needs_note in REASONS
    )


def remove(apps, schema_editor):
    reason = apps.get_model("inventory", "ReasonCode")
    for use, code, *_rest in REASONS:
        reason.objects.filter(use=use, code=code).delete()


class Migration(migrations.Migration):
    dependencies = [("inventory", "0002_reason_code")]
    operations = [migrations.RunPython(add, remove)]
