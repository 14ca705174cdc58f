"""Work chats: messages to a group through the robot of DingTalk (钉钉), Feishu (飞书) or WeCom (企业微信)."""

from channels.adapters.im.adapter import ADAPTER

__all__ = ["ADAPTER"]
