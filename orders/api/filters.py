"""By what lists of orders and parcels are narrowed."""

from django_filters import rest_framework as filters

from channels.models import Channel
from inventory.models import Node
from orders.models import Fulfillment, Order
from orders.statuses import FulfillmentStatus, MoneyState, OrderStatus


class OrderFilter(filters.FilterSet):
    """Parameters of the list of orders; several of ``status`` mean any of them."""

    number = filters.CharFilter()
    external_id = filters.CharFilter()
    channel = filters.ModelChoiceFilter(queryset=Channel.objects.all(), to_field_name="code")
    status = filters.MultipleChoiceFilter(choices=OrderStatus.choices, distinct=False)
    money_state = filters.ChoiceFilter(choices=MoneyState.choices)
    region = filters.CharFilter(help_text="Province code (GB/T 2260) or ISO country code.")
    placed_after = filters.IsoDateTimeFilter(field_name="placed_at", lookup_expr="gte", help_text="From then on.")
    placed_before = filters.IsoDateTimeFilter(field_name="placed_at", lookup_expr="lt", help_text="Before then.")

    class Meta:
        model = Order
        fields: tuple[str, ...] = ()


class FulfillmentFilter(filters.FilterSet):
    """Parameters of the list of parcels."""

    number = filters.CharFilter()
    order = filters.CharFilter(field_name="order__number")
    node = filters.ModelChoiceFilter(queryset=Node.objects.all(), to_field_name="code")
    status = filters.MultipleChoiceFilter(choices=FulfillmentStatus.choices, distinct=False)
    tracking_number = filters.CharFilter()
    planned_after = filters.IsoDateTimeFilter(field_name="planned_at", lookup_expr="gte")
    planned_before = filters.IsoDateTimeFilter(field_name="planned_at", lookup_expr="lt")

    class Meta:
        model = Fulfillment
        fields: tuple[str, ...] = ()
