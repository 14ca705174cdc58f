"""The composition app: settings, wiring, the demo company."""

from django.apps import AppConfig


class HubConfig(AppConfig):
    """Everything that sees all apps."""

    name = "config"
    verbose_name = "Hub"
