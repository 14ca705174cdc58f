"""A difference may also be about safety stock."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inventory", "0008_own_safety_stock")]

    operations = [
        migrations.AlterField(
            model_name="stockdifference",
            name="check_name",
            field=models.CharField(
                choices=[
                    ("on_hand", "On hand and its movements"),
                    ("reserved", "Reserved and its reservations"),
                    ("quality_hold", "Held and its quality holds"),
                    ("safety_stock", "Safety stock and its rules"),
                    ("parcel", "Open parcels and their reservations"),
                    ("node_day", "A node's day and its parcels"),
                ],
                max_length=12,
                verbose_name="check",
            ),
        ),
    ]
