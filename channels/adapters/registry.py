"""Which code speaks with which platform: a channel's ``adapter`` word leads here."""

from channels.adapters import file, house, taobao
from channels.adapters.protocol import Adapter

BY_NAME: dict[str, Adapter] = {"house": house.ADAPTER, "file": file.ADAPTER, "taobao": taobao.ADAPTER}
