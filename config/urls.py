"""Where each door is."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from config.health import livez, readyz

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/", admin.site.urls),
    path("in/", include("channels.web.urls")),
    path("api/", include("config.api")),
    path("livez", livez, name="livez"),
    path("readyz", readyz, name="readyz"),
]
