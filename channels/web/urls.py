"""Addresses of the inbound door, included at ``in/``."""

from django.urls import path

from channels.web import inbound

app_name = "inbound"
urlpatterns = [path("<str:channel_code>/", inbound.take_in, name="take_in")]
