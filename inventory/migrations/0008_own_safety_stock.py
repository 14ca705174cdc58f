"""What levels kept back until now is their own figure: no rule has asked for it."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("inventory", "0007_promises_by_channel")]

    operations = [
        migrations.RunSQL(
            "UPDATE inventory_stocklevel SET own_safety_stock = safety_stock WHERE safety_stock <> 0",
            migrations.RunSQL.noop,
        )
    ]
