"""Which code speaks with which platform: a channel's ``adapter`` word leads here."""

from channels.adapters import (
    aftership,
    douyin,
    file,
    house,
    jd,
    kingdee,
    kuaidi100,
    pinduoduo,
    qimen,
    sf,
    shopify,
    square,
    taobao,
    wechat_shop,
    weimob,
    yonyou,
    yonyou_u8,
    youzan,
)
from channels.adapters.protocol import Adapter

BY_NAME: dict[str, Adapter] = {
    "aftership": aftership.ADAPTER,
    "douyin": douyin.ADAPTER,
    "file": file.ADAPTER,
    "house": house.ADAPTER,
    "jd": jd.ADAPTER,
    "kingdee": kingdee.ADAPTER,
    "kuaidi100": kuaidi100.ADAPTER,
    "pinduoduo": pinduoduo.ADAPTER,
    "qimen": qimen.ADAPTER,
    "sf": sf.ADAPTER,
    "shopify": shopify.ADAPTER,
    "square": square.ADAPTER,
    "taobao": taobao.ADAPTER,
    "wechat_shop": wechat_shop.ADAPTER,
    "weimob": weimob.ADAPTER,
    "yonyou": yonyou.ADAPTER,
    "yonyou_u8": yonyou_u8.ADAPTER,
    "youzan": youzan.ADAPTER,
}
