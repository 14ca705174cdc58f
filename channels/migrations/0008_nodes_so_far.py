"""What a channel's history says of its nodes begins with those that it has today: nobody knows others."""

from django.db import migrations

KEEP = """
INSERT INTO channels_historicalchannel_nodes (id, channel_id, history_id, node_id)
SELECT link.id, link.channel_id, past.history_id, link.node_id
  FROM channels_historicalchannel AS past JOIN channels_channel_nodes AS link ON link.channel_id = past.id
"""


class Migration(migrations.Migration):
    dependencies = [("channels", "0007_nodes_in_history")]

    operations = [migrations.RunSQL(KEEP, "DELETE FROM channels_historicalchannel_nodes")]
