"""What one channel may sell now."""

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from audit.api.problems import ProblemSerializer
from channels import queries
from channels.models import Channel
from inventory.api.serializers import AvailabilitySerializer
from inventory.api.views import ASKED, AvailabilityAnswer

PROBLEM = OpenApiResponse(ProblemSerializer)


class ChannelAvailabilityView(AvailabilityAnswer):
    """Units that a channel may sell: what its nodes may still promise, within what channels' shares leave it."""

    @extend_schema(
        summary="What one channel may sell now",
        parameters=ASKED,
        responses={200: AvailabilitySerializer, 400: PROBLEM, 404: PROBLEM},
    )
    def get(self, request: Request, code: str) -> Response:
        """Answer for the SKUs asked, in their order."""
        channel = Channel.objects.filter(code=code).first()
        if channel is None:
            raise NotFound(_("There is no channel %(code)s.") % {"code": code[:60]})
        return self.answer(request, channel=code, only=queries.nodes_by_channel([channel.pk]).get(channel.pk))
