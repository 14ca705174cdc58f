"""The robots' signatures. Pure."""

import base64
import hashlib
import hmac


def dingtalk(milliseconds: str, secret: str) -> str:
    """Return DingTalk's: base64 of the HMAC-SHA256 of time and secret, keyed by the secret."""
    return _sealed(secret, f"{milliseconds}\n{secret}")


def feishu(seconds: str, secret: str) -> str:
    """Return Feishu's: base64 of the HMAC-SHA256 of nothing, keyed by time and secret."""
    return _sealed(f"{seconds}\n{secret}", "")


def _sealed(key: str, text: str) -> str:
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode()
