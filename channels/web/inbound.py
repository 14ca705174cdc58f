"""The inbound door: a channel pushes, we keep it and say so at once; everything else happens later."""

import logging

import structlog
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from channels.adapters import registry
from channels.adapters.protocol import NotAuthentic, NotOffered, Pushed, Rejected
from channels.models import Channel
from channels.rules import arrivals
from channels.services import connections, credentials, inbox, letterbox
from channels.services.letterbox import Known

# Who was refused, as one JSON object a line, whatever the other lines look like.
security = structlog.wrap_logger(
    logging.getLogger("channels.security"),
    processors=[structlog.processors.TimeStamper(fmt="iso", utc=True), structlog.processors.JSONRenderer()],
)


REFUSALS = (NotAuthentic, NotOffered, Rejected)
LOOKS = 3  # at a row that changes again and again


@csrf_exempt
@require_http_methods(["GET", "POST"])
def take_in(request: HttpRequest, channel_code: str) -> HttpResponse:
    """Keep what ``channel_code`` pushes and answer in its platform's words, or 202 with how many messages were new.

    Some platforms first try the address with a GET whose query they signed; the adapter answers those too.
    """
    known = letterbox.known(channel_code)
    if known is None:
        return _unknown()
    if "Transfer-Encoding" in request.headers:  # WSGI gives no body without a length
        return _problem(411, "Length required", "Send the body with a Content-Length.")
    declared = _declared_length(request)
    body = request.read(arrivals.KEPT_HEAD if declared > arrivals.LARGEST_PAYLOAD else arrivals.LARGEST_PAYLOAD + 1)
    size = max(declared, len(body))
    if size > arrivals.LARGEST_PAYLOAD:
        return _refuse_large(channel_code, body, size)
    if len(body) < declared:  # its sender went away: no signature could be right, and nobody forged one
        return _problem(400, "Incomplete", "The body ended before its Content-Length.")
    return _store(_pushed(request, body), known, request.META.get("REMOTE_ADDR"))


def _refuse_large(channel_code: str, head: bytes, size: int) -> HttpResponse:
    known = letterbox.look_again(channel_code)
    if known is None:
        return _unknown()
    inbox.refuse_large(known.channel, head, size=size, at=timezone.now())
    return _problem(413, "Too large", f"A request may have at most {arrivals.LARGEST_PAYLOAD} bytes.")


def _store(pushed: Pushed, known: Known, remote_address: str | None) -> HttpResponse:
    """Decide by the channel as it is known, and once more when its row turns out to have changed since it was read."""
    for _look in range(LOOKS):
        refusal = None
        try:
            return _stored(pushed, known)
        except (letterbox.Outdated, *REFUSALS) as error:
            refusal = error
        newer = letterbox.look_again(known.channel.code)
        if newer is None:
            return _unknown()
        if newer.version == known.version:
            return _refused(refusal, known.channel, remote_address)
        known = newer
    return _problem(503, "Not ready", "The channel is being changed at the moment.")


def _stored(pushed: Pushed, known: Known) -> HttpResponse:
    at = timezone.now()
    received = registry.BY_NAME[known.channel.adapter].receive(pushed, connections.of(known.channel), at=at)
    stored = letterbox.keep(known, received, at=at)
    if received.answer is not None:
        return HttpResponse(received.answer, content_type=received.content_type)
    return JsonResponse({"stored": stored, "known": len(received.messages) - stored}, status=202)


def _refused(refusal: Exception, channel: Channel, remote_address: str | None) -> HttpResponse:
    match refusal:
        case NotAuthentic():
            security.warning("inbound_not_authentic", channel=channel.code, remote_address=remote_address)
            return _problem(401, "Not authentic", "The signature does not belong to this channel.")
        case NotOffered():
            return _problem(404, "Not offered", "This channel does not push.")
        case credentials.Unreadable():  # ours to mend: the platform tries again
            return _problem(503, "Not ready", "The signature cannot be checked at the moment.")
        case Rejected():
            return _problem(400, "Refused", str(refusal.reason))
    return _problem(503, "Not ready", "The channel is being changed at the moment.")


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


def _unknown() -> HttpResponse:
    return _problem(404, "Unknown channel", "No active channel has this code.")


def _problem(status: int, title: str, detail: str) -> HttpResponse:
    problem = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return JsonResponse(problem, status=status, content_type="application/problem+json")
