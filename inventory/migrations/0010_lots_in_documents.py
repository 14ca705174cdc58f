"""A receipt may bring several lots of one SKU, and a difference may be about lots."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inventory", "0009_safety_check")]

    operations = [
        migrations.RemoveConstraint(model_name="receiptline", name="a_receipt_names_a_sku_once"),
        migrations.AddConstraint(
            model_name="receiptline",
            constraint=models.UniqueConstraint(
                fields=("receipt", "sku", "lot_code"), name="a_receipt_names_a_lot_once"
            ),
        ),
        migrations.AlterField(
            model_name="stockdifference",
            name="check_name",
            field=models.CharField(
                choices=[
                    ("on_hand", "On hand and its movements"),
                    ("reserved", "Reserved and its reservations"),
                    ("quality_hold", "Held and its quality holds"),
                    ("safety_stock", "Safety stock and its rules"),
                    ("lot_sums", "A level and its lots"),
                    ("lot_rows", "A lot and its rows"),
                    ("parcel", "Open parcels and their reservations"),
                    ("node_day", "A node's day and its parcels"),
                ],
                max_length=12,
                verbose_name="check",
            ),
        ),
    ]
