from django.db import migrations

# Renaming a model leaves its indexes their old names, which the new model of that name would claim.
RENAME_INDEXES = """
DO $$
DECLARE found record;
BEGIN
    FOR found IN
        SELECT index.relname AS name FROM pg_index JOIN pg_class AS index ON index.oid = indexrelid
         WHERE indrelid IN ('promotions_campaign'::regclass, 'promotions_historicalcampaign'::regclass)
           AND index.relname LIKE 'promotions_%{old}%'
    LOOP
        EXECUTE format('ALTER INDEX %I RENAME TO %I', found.name, replace(found.name, '{old}_', '{new}_'));
    END LOOP;
END $$
"""


class Migration(migrations.Migration):
    """The calendar's campaigns get their own name; promotions become the rules that belong to them."""

    dependencies = [("promotions", "0001_initial")]

    operations = [
        migrations.RenameModel("Promotion", "Campaign"),
        migrations.RenameModel("HistoricalPromotion", "HistoricalCampaign"),
        migrations.RunSQL(
            RENAME_INDEXES.replace("{old}", "promotion").replace("{new}", "campaign"),
            RENAME_INDEXES.replace("{old}", "campaign").replace("{new}", "promotion"),
        ),
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
