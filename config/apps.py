"""The composition app: settings, wiring, the demo company."""

from django.apps import AppConfig

from config.celery import app as celery_app  # every process that loads Django knows the broker, not only workers


class HubConfig(AppConfig):
    """Everything that sees all apps."""

    name = "config"
    verbose_name = "Hub"
    celery_app = celery_app
