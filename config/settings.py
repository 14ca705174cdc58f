"""Settings of the hub. Everything that differs between installations comes from the environment."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import environ
from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _
from kombu import Queue

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# -- who runs -----------------------------------------------------------------------------------
# The role of this process decides its time limits in the database: a page must answer, a job may work.
ROLE = env.str("HUB_ROLE", default="command")  # web | worker | command
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="only-for-local-use-set-SECRET_KEY-in-production-" + "0" * 16)
# "id:base64 of 32 bytes", the sealing one first: what channels' credentials are sealed with. Made from SECRET_KEY where
# it is not set, which an installation for real (HTTPS) refuses.
HUB_SECRET_KEYS = env.str("HUB_SECRET_KEYS", default="")
SECRET_KEYS_REQUIRED = env.bool("HTTPS", default=False) and not DEBUG
if SECRET_KEYS_REQUIRED and not HUB_SECRET_KEYS and ROLE != "command":
    raise ImproperlyConfigured("HUB_SECRET_KEYS is not set: an installation for real has keys of its own.")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]", "testserver"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.simple_history",
    "unfold.contrib.guardian",
    "config",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "simple_history",
    "guardian",
    "django_celery_beat",
    "audit",
    "inventory",
    "channels",
    "promotions",
    "orders",
    "forecasting",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
            ],
        },
    },
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# -- database and broker ------------------------------------------------------------------------
STATEMENT_TIMEOUT_MS = {"web": 15_000, "worker": 300_000}.get(ROLE, 0)
DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db_url("DATABASE_URL", default="postgresql:///orderhub"),
}
DATABASES["default"].update(
    CONN_MAX_AGE=60,
    CONN_HEALTH_CHECKS=True,
    OPTIONS={
        **DATABASES["default"].get("OPTIONS", {}),
        "application_name": f"orderhub-{ROLE}",
        "options": (
            f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout={3000 if ROLE == 'web' else 10000} "
            f"-c idle_in_transaction_session_timeout={30000 if ROLE == 'web' else 300000}"
        ),
    },
)
REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}

# -- Celery: the broker only wakes workers up, PostgreSQL rows are the work -------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 400_000  # kB
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_TASK_TIME_LIMIT = 300
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 900,  # more than twice the hard limit, or a long task runs twice
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 5,  # a broker that takes connections and never answers must not hold a thread
    "socket_timeout": 30,
}
CELERY_TASK_DEFAULT_QUEUE = "intake"
CELERY_TASK_QUEUES = [Queue(name) for name in ("intake", "outbox", "stock", "forecast", "reports")]
CELERY_TIMEZONE = "Asia/Shanghai"
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_TASK_ROUTES = {
    "channels.deliver_outbox": {"queue": "outbox"},
    "channels.prune_tries": {"queue": "reports"},
    "channels.push_stock": {"queue": "push"},
    "channels.check_drift": {"queue": "reports"},
    "orders.expire_unpaid": {"queue": "stock"},
    "orders.replan_promises": {"queue": "stock"},
    "orders.verify_stock": {"queue": "stock"},
    "orders.expire_lots": {"queue": "stock"},
    "inventory.import_stock": {"queue": "stock"},
    "inventory.remind_of_holds": {"queue": "stock"},
    "inventory.refresh_shares": {"queue": "stock"},
    "inventory.refresh_safety": {"queue": "stock"},
    "orders.run_backtests": {"queue": "reports"},
    "orders.run_whatif": {"queue": "reports"},
    "orders.publish_policies": {"queue": "stock"},
    "orders.prune_runs": {"queue": "reports"},
    "orders.claim_back": {"queue": "stock"},
    "orders.follow_disruptions": {"queue": "stock"},
    "orders.learn_lanes": {"queue": "reports"},
    "orders.value_stock": {"queue": "reports"},
    "orders.reoptimise": {"queue": "stock"},
    "promotions.publish_due": {"queue": "stock"},
    "promotions.watch_budgets": {"queue": "stock"},
    "promotions.fill_coupons": {"queue": "reports"},
    "config.demo_traffic": {"queue": "reports"},
}
# Who is woken when something happened (audit.services.waking); the schedule below finds the same rows without it.
WAKE_UPS = {
    "messages_came": ["orders.run_pipeline"],
    "orders_wanted": ["channels.fetch_wanted"],
    "supply_changed": ["orders.replan_promises"],
    "stock_came": ["orders.retry_backorders"],
    "figures_due": ["channels.deliver_outbox"],
}
# Every task is a sweep over rows: one that comes late is dropped, the next one finds the same rows.
CELERY_BEAT_SCHEDULE = {
    name.split(".")[1].replace("_", "-"): {"task": name, "schedule": seconds, "options": {"expires": seconds}}
    for name, seconds in {
        "orders.run_pipeline": 5.0,
        "channels.deliver_outbox": 5.0,
        "channels.push_stock": 1.0,  # a channel that sells the last unit twice cannot wait longer
        "channels.check_drift": 3600.0,
        "channels.pull_all": 30.0,
        "channels.fetch_wanted": 10.0,
        "channels.reconcile": 600.0,
        "channels.read_listings": 3.0,
        "orders.wake_waiting": 30.0,
        "orders.take_up_known": 60.0,
        "orders.release_due": 15.0,
        "orders.retry_backorders": 60.0,
        "orders.expire_unpaid": 60.0,
        "orders.replan_promises": 60.0,
        "orders.run_backtests": 5.0,
        "orders.run_whatif": 5.0,
        "orders.publish_policies": 10.0,
        "orders.claim_back": 15.0,
        "orders.follow_disruptions": 30.0,
        "orders.reoptimise": 20.0,  # a round every two minutes, at peaks each time
        "promotions.publish_due": 10.0,
        "promotions.watch_budgets": 300.0,
        "promotions.fill_coupons": 5.0,
        "inventory.import_stock": 5.0,
        "inventory.remind_of_holds": 3600.0,
        "inventory.refresh_shares": 30.0,
        "inventory.refresh_safety": 600.0,
        **({"config.demo_traffic": 20.0} if env.bool("HUB_DEMO_TRAFFIC", default=False) else {}),
    }.items()
} | {
    "expire-lots": {
        "task": "orders.expire_lots",
        "schedule": crontab(hour=0, minute=20),
        "options": {"expires": 3600.0},
    },
    "prune-tries": {
        "task": "channels.prune_tries",
        "schedule": crontab(hour=2, minute=40),
        "options": {"expires": 3600.0},
    },
    "learn-lanes": {
        "task": "orders.learn_lanes",
        "schedule": crontab(hour=3, minute=30),
        "options": {"expires": 3600.0},
    },
    "value-stock": {
        "task": "orders.value_stock",
        "schedule": crontab(hour=3, minute=40),
        "options": {"expires": 3600.0},
    },
    "prune-runs": {
        "task": "orders.prune_runs",
        "schedule": crontab(hour=2, minute=50),
        "options": {"expires": 3600.0},
    },
    "verify-stock": {
        "task": "orders.verify_stock",
        "schedule": crontab(hour=3, minute=10),
        "options": {"expires": 3600.0},
    },
}

# A promotion that may cost more than this (CNY), or without a bound, needs two approvals.
PROMOTION_TWO_APPROVALS_ABOVE = Decimal(env.str("PROMOTION_TWO_APPROVALS_ABOVE", default="50000"))
# Who knows what a version would have done to past orders: promotions know no order.
PROMOTION_EFFECT = "orders.services.backtests.effect"
# Who knows the words that the builder of promotions offers.
PROMOTION_WORDS = {"tiers": "orders.queries.buyers.tiers", "segments": "orders.queries.buyers.segments"}
# What becomes of a promotion that neither a budget nor a number of orders bounds: "ask" for two approvals, or "refuse".
PROMOTION_UNBOUNDED_BUDGETS = env.str("PROMOTION_UNBOUNDED_BUDGETS", default="ask")

# Stock comes so often: what the last units of a region are worth until then. Goods that last longer are slow.
ROUTING_REPLENISHMENT_DAYS = env.float("ROUTING_REPLENISHMENT_DAYS", default=7.0)
ROUTING_SLOW_DAYS = env.float("ROUTING_SLOW_DAYS", default=90.0)
# So many nodes may fail an order before only a person routes it again.
ROUTING_MOST_FAILURES = env.int("ROUTING_MOST_FAILURES", default=3)

# Waiting orders are planned again together: for how long the solver may search (seconds), and how many waiting parcels
# are a peak, at which nobody waits for the two minutes between two rounds.
ROUTING_BATCH_SECONDS = env.float("ROUTING_BATCH_SECONDS", default=10.0)
ROUTING_PEAK = env.int("ROUTING_PEAK", default=500)

# Which routing policy decides orders, for how long what it decided on is kept (days; 0: not at all), and which member
# tiers are served before others, the highest first.
ROUTING_POLICY = env.str("ROUTING_POLICY", default="main")
ROUTING_RUN_DAYS = env.int("ROUTING_RUN_DAYS", default=30)
ROUTING_TIERS = env.list("ROUTING_TIERS", default=[])

# Partners' webhooks go to https addresses of the open Internet only; in development also to this machine.
WEBHOOKS_MAY_BE_LOCAL = env.bool("WEBHOOKS_MAY_BE_LOCAL", default=DEBUG)

# -- languages, time ----------------------------------------------------------------------------
LANGUAGE_CODE = env.str("LANGUAGE_CODE", default="en")
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = env.str("TIME_ZONE", default="Asia/Shanghai")

# -- files and security -------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend", "guardian.backends.ObjectPermissionBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ANONYMOUS_USER_NAME = None  # guardian: nobody without a login holds a permission
LOGIN_URL = reverse_lazy("admin:login")
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.bool("HTTPS", default=False)
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "SAMEORIGIN"

# -- API ----------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["audit.api.permissions.ModelPermissions"],
    "DEFAULT_FILTER_BACKENDS": ["audit.api.filters.StrictFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "audit.api.pages.NewestFirst",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_VERSIONING_CLASS": None,
    "EXCEPTION_HANDLER": "audit.api.problems.answer",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Order hub API",
    "DESCRIPTION": "Orders, parcels and availability of every channel.",
    "VERSION": "1.0.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "OrderStatus": "orders.statuses.OrderStatus",
        "FulfillmentStatus": "orders.statuses.FulfillmentStatus",
        "HoldKind": "orders.statuses.HoldKind",
        "EventKind": "orders.statuses.EventKind",
    },
}

# -- logging ------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {"httpx": {"level": "WARNING"}, "faker": {"level": "WARNING"}},
}

# -- the desk -----------------------------------------------------------------------------------
ENVIRONMENT_NAME = env.str("ENVIRONMENT_NAME", default="")  # shown in the corner of every page
LOGIN_REDIRECT_URL = reverse_lazy("admin:index")
UNFOLD = {
    "SITE_TITLE": _("Order hub"),
    "SITE_HEADER": _("Order hub"),
    "SITE_SUBHEADER": _("Orders of every channel"),
    "SITE_SYMBOL": "hub",
    "SITE_URL": None,
    "SHOW_LANGUAGES": True,
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "6px",
    "ENVIRONMENT": "config.navigation.environment",
    "DASHBOARD_CALLBACK": "config.dashboard.tiles",
    "STYLES": ["config.navigation.look"],
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "config.navigation.icon"}],
    "SIDEBAR": {"show_search": False, "show_all_applications": False, "navigation": "config.navigation.sections"},
    "COLORS": {
        "primary": {
            "50": "oklch(97% .014 255)",
            "100": "oklch(93.2% .032 256)",
            "200": "oklch(88.2% .059 254)",
            "300": "oklch(80.9% .105 252)",
            "400": "oklch(70.7% .165 255)",
            "500": "oklch(62.3% .19 258)",
            "600": "oklch(54.6% .19 261)",
            "700": "oklch(48.8% .19 262)",
            "800": "oklch(42.4% .16 264)",
            "900": "oklch(37.9% .13 265)",
            "950": "oklch(28.2% .09 267)",
        },
    },
}
