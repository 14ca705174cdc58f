"""What platforms, their abilities and their credentials are called on the pages that connect a channel."""

from dataclasses import fields
from typing import Any

from django.utils.translation import gettext_lazy as _

from channels.adapters import registry
from channels.adapters.protocol import Capabilities
from channels.statuses import ListingMatch

PLATFORMS: dict[str, Any] = {
    "aftership": _("AfterShip (parcels)"), "douyin": _("Douyin shop"), "file": _("Files"),
    "house": _("House language (partners, tills, warehouses)"), "im": _("Work chat"), "jd": _("JD"),
    "kingdee": _("Kingdee (ERP)"), "kuaidi100": _("Kuaidi100 (parcels)"), "mail": _("Mail"),
    "pinduoduo": _("Pinduoduo"), "qimen": _("Qimen (warehouses)"), "sf": _("SF Express (parcels)"),
    "shopify": _("Shopify"), "sms": _("SMS"), "square": _("Square (tills)"), "taobao": _("Taobao, Tmall"),
    "webhook": _("Webhooks to a partner"),
    "wechat_shop": _("WeChat Shop"), "wechat_mini": _("WeChat mini program"), "weimob": _("Weimob"),
    "yonyou": _("Yonyou YonBIP (ERP)"), "yonyou_u8": _("Yonyou U8 (ERP)"), "youzan": _("Youzan"),
}  # fmt: skip
ABILITIES: dict[str, Any] = {
    "pull_orders": _("fetches orders"), "push_orders": _("orders are pushed"), "ship_confirm": _("tells shipments"),
    "refund_in": _("refunds"), "cancel_in": _("cancellations"), "stock_set": _("sets stock"),
    "stock_delta": _("changes stock"), "listing_pull": _("reads listings"), "price": _("sets prices"),
    "parcels": _("takes parcels"), "documents": _("books"), "tracking": _("follows parcels"),
    "notices": _("messages to people"), "events": _("webhooks"), "receivers": _("prints labels"),
}  # fmt: skip
FIELDS: dict[str, Any] = {
    "app_key": _("App key"), "app_secret": _("App secret"), "session": _("Session (access token)"),
    "access_token": _("Access token"), "refresh_token": _("Refresh token"), "client_id": _("Client id"),
    "client_secret": _("Client secret"), "secret": _("Secret"), "previous_secret": _("Previous secret"),
    "webhook_secret": _("Webhook secret"), "previous_webhook_secret": _("Previous webhook secret"),
    "signature_key": _("Signature key"), "previous_signature_key": _("Previous signature key"),
    "api_key": _("API key"), "api_secret": _("API secret"), "password": _("Password"), "user": _("User"),
    "token": _("Token"), "key": _("Key"), "salt": _("Salt"), "customer": _("Customer number"), "sender": _("Sender"),
    "app_id": _("App id"), "appid": _("App id"), "partner_id": _("Partner number"), "checkword": _("Check word"),
    "grant_id": _("Shop number"), "carriers": _("Names of carriers (JSON)"), "sign_method": _("Way of signing"),
    "location_id": _("Location"), "locations": _("Locations (JSON)"), "shop_domain": _("Shop's domain"),
}  # fmt: skip
MARKS = {"none": "grey", "code": "green", "barcode": "green", "name": "amber", "person": "blue"}


def platform(name: str) -> Any:
    """Return what people call the platform behind an adapter."""
    return PLATFORMS.get(name, name)


def abilities(name: str) -> list[Any]:
    """Return what can be done with a platform, as its adapter says."""
    able = registry.BY_NAME[name].capabilities
    return [ABILITIES.get(one.name, one.name) for one in fields(Capabilities) if getattr(able, one.name)]


def cards() -> list[dict[str, Any]]:
    """Return every platform that can be connected: shops first, those that can do most before the others."""
    found = [
        {"name": name, "title": platform(name), "abilities": abilities(name), "asks": len(adapter.credential_names)}
        for name, adapter in registry.BY_NAME.items()
    ]
    return sorted(found, key=lambda card: (-len(card["abilities"]), card["name"]))


def field_label(name: str) -> Any:
    """Return what a credential or an option is called; its own name where people know it by that."""
    return FIELDS.get(name, name)


def matched(by: str) -> Any:
    """Return by what a listing was taken for a SKU."""
    return ListingMatch(by).label
