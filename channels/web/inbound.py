"""The inbound door: a channel pushes, we keep it and say so at once; everything else happens later."""

import logging
from datetime import datetime

import structlog
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from audit.services import waking
from audit.services.waking import Happening
from channels.adapters import registry
from channels.adapters.protocol import NotAuthentic, NotOffered, Pushed, Received, Rejected
from channels.models import Channel
from channels.rules import arrivals
from channels.services import connections, credentials, fetching, inbox

# Who was refused, as one JSON object a line, whatever the other lines look like.
security = structlog.wrap_logger(
    logging.getLogger("channels.security"),
    processors=[structlog.processors.TimeStamper(fmt="iso", utc=True), structlog.processors.JSONRenderer()],
)


@csrf_exempt
@require_http_methods(["GET", "POST"])
def take_in(request: HttpRequest, channel_code: str) -> HttpResponse:
    """Keep what ``channel_code`` pushes and answer in its platform's words, or 202 with how many messages were new.

    Some platforms first try the address with a GET whose query they signed; the adapter answers those too.
    """
    channel = Channel.objects.filter(code=channel_code, is_active=True).first()
    if channel is None or channel.adapter not in registry.BY_NAME:
        return _problem(404, "Unknown channel", "No active channel has this code.")
    if "Transfer-Encoding" in request.headers:  # WSGI gives no body without a length
        return _problem(411, "Length required", "Send the body with a Content-Length.")
    declared = _declared_length(request)
    body = request.read(arrivals.KEPT_HEAD if declared > arrivals.LARGEST_PAYLOAD else arrivals.LARGEST_PAYLOAD + 1)
    size = max(declared, len(body))
    if size > arrivals.LARGEST_PAYLOAD:
        inbox.refuse_large(channel, body, size=size, at=timezone.now())
        return _problem(413, "Too large", f"A request may have at most {arrivals.LARGEST_PAYLOAD} bytes.")
    if len(body) < declared:  # its sender went away: no signature could be right, and nobody forged one
        return _problem(400, "Incomplete", "The body ended before its Content-Length.")
    return _store(request, channel, body)


def _store(request: HttpRequest, channel: Channel, body: bytes) -> HttpResponse:
    at = timezone.now()
    adapter = registry.BY_NAME[channel.adapter]
    try:
        received = adapter.receive(_pushed(request, body), connections.of(channel), at=at)
    except NotAuthentic:
        security.warning("inbound_not_authentic", channel=channel.code, remote_address=request.META.get("REMOTE_ADDR"))
        return _problem(401, "Not authentic", "The signature does not belong to this channel.")
    except NotOffered:
        return _problem(404, "Not offered", "This channel does not push.")
    except credentials.Unreadable:  # ours to mend: the platform tries again
        return _problem(503, "Not ready", "The signature cannot be checked at the moment.")
    except Rejected as error:
        return _problem(400, "Refused", str(error.reason))
    stored = _keep(channel, received, at)
    if received.answer is not None:
        return HttpResponse(received.answer, content_type=received.content_type)
    return JsonResponse({"stored": stored, "known": len(received.messages) - stored}, status=202)


@transaction.atomic
def _keep(channel: Channel, received: Received, at: datetime) -> int:
    """Keep messages and the numbers of orders to be fetched together, and wake who works on them."""
    stored = inbox.store(channel, received.messages, at=at)
    if received.messages:
        waking.happened(Happening.MESSAGES_CAME)
    if received.wanted:
        fetching.want(channel, received.wanted, at=at)
        waking.happened(Happening.ORDERS_WANTED)
    return stored


def _pushed(request: HttpRequest, body: bytes) -> Pushed:
    return Pushed(
        body=body,
        headers=request.headers,
        query=request.GET.dict(),
        url=request.build_absolute_uri(),
        method=request.method or "POST",
    )


def _declared_length(request: HttpRequest) -> int:
    text = request.META.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isascii() and text.isdigit() else 0


def _problem(status: int, title: str, detail: str) -> HttpResponse:
    problem = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return JsonResponse(problem, status=status, content_type="application/problem+json")
