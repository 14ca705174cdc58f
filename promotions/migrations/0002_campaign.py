from django.db import migrations


class Migration(migrations.Migration):
    """The calendar's campaigns get their own name; promotions become the rules that belong to them."""

    dependencies = [("promotions", "0001_initial")]

    operations = [
        migrations.RenameModel("Promotion", "Campaign"),
        migrations.RenameModel("HistoricalPromotion", "HistoricalCampaign"),
        migrations.AlterModelOptions("Campaign", {"verbose_name": "campaign", "verbose_name_plural": "campaigns"}),
        migrations.AlterModelOptions(
            "HistoricalCampaign",
            {
                "verbose_name": "historical campaign",
                "verbose_name_plural": "historical campaigns",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
        ),
    ]
