"""The API of all apps: routes of version one, the schema, and a docs page that asks nobody outside."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.routers import SimpleRouter

from channels.api.views import ChannelAvailabilityView, SkuChannelsView
from inventory.api.stock import NetworkWhyView, NodeWhyView, StockViewSet
from inventory.api.views import AvailabilityView
from orders.api.refund_quotes import RefundQuoteView
from orders.api.routing import OrderRoutingView
from orders.api.views import FulfillmentViewSet, OrderViewSet
from promotions.api.views import PromotionsView, QuotesView

router = SimpleRouter()
router.register("orders", OrderViewSet, basename="order")
router.register("fulfillments", FulfillmentViewSet, basename="fulfillment")
router.register("stock", StockViewSet, basename="stock")

urlpatterns = [
    # Before the orders: their numbers may hold a slash.
    path("v1/orders/<path:number>/refund-quote/", RefundQuoteView.as_view(), name="refund-quote"),
    path("v1/orders/<path:number>/routing/", OrderRoutingView.as_view(), name="order-routing"),  # before the numbers
    path("v1/", include(router.urls)),
    path("v1/channels/<str:code>/availability/", ChannelAvailabilityView.as_view(), name="channel-availability"),
    path("v1/availability/", AvailabilityView.as_view(), name="availability"),
    path("v1/promotions/", PromotionsView.as_view(), name="promotions"),
    path("v1/quotes", QuotesView.as_view(), name="quotes"),
    path("v1/stock/<str:sku>/channels/", SkuChannelsView.as_view(), name="stock-why-by-channel"),
    path("v1/stock/<str:sku>/why/", NetworkWhyView.as_view(), name="stock-why-everywhere"),
    path("v1/stock/<str:sku>/<str:node>/why/", NodeWhyView.as_view(), name="stock-why"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="api-docs"),
]
