"""The inbound door at its place."""

from django.urls import include, path

urlpatterns = [path("in/", include("channels.web.urls"))]
