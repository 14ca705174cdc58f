"""What presales have promised by now is the first that is known of their past."""

from django.db import migrations

KEEP = """
INSERT INTO inventory_presalechange (pool_id, reference, quantity, changed_at)
SELECT pool_id, reference, sum(quantity), promised_at
  FROM inventory_supplypromise WHERE pool_id IS NOT NULL
 GROUP BY pool_id, reference, promised_at
"""


class Migration(migrations.Migration):
    dependencies = [("inventory", "0014_share_past")]

    operations = [migrations.RunSQL(KEEP, "DELETE FROM inventory_presalechange")]
