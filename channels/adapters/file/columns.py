"""The columns of an order file: our words, and what exports call them."""

from collections.abc import Sequence
from typing import Final

from audit.rules.sentences import say
from audit.rules.tables import UnreadableFile

# Our word: the other words that mean it. Case, spaces, underscores, hyphens and a leading * do not matter.
ALIASES: Final[dict[str, tuple[str, ...]]] = {
    "order_number": (
        "order number",
        "order no",
        "order id",
        "订单号",
        "订单编号",
        "主订单编号",
        "平台单号",
        "原始单号",
        "receipt no",
        "receipt number",
        "小票号",
        "小票编号",
    ),
    "placed_at": (
        "order time",
        "created at",
        "biz time",
        "下单时间",
        "订单创建时间",
        "创建时间",
        "拍单时间",
        "交易时间",
        "销售时间",
    ),
    "paid_at": ("payment time", "paid time", "付款时间", "支付时间", "订单付款时间"),
    "updated_at": ("modified at", "修改时间", "更新时间"),
    "cancelled_at": ("cancelled time", "canceled at", "取消时间", "关闭时间"),
    "cancel_reason": ("cancellation reason", "取消原因", "关闭原因", "订单关闭原因"),
    "status": ("order status", "订单状态", "状态", "交易状态"),
    "ship_by": ("latest ship time", "最晚发货时间", "承诺发货时间"),
    "currency": ("币种", "货币"),
    "line_number": ("line no", "line id", "子订单号", "子订单编号", "行号", "明细编号"),
    "sku": ("sku code", "seller sku", "商家编码", "商家SKU编码", "规格编码", "货号", "SKU编码"),
    "title": ("product name", "item title", "商品名称", "商品标题", "宝贝标题", "标题"),
    "quantity": ("qty", "数量", "购买数量", "商品数量", "宝贝数量"),
    "unit_price": ("price", "单价", "商品单价", "商品价格", "价格"),
    "discount": ("line discount", "优惠", "优惠金额", "商品优惠"),
    "line_cancelled": ("line canceled", "行已取消", "是否取消"),
    "shipping": ("shipping amount", "freight", "运费", "邮费"),
    "paid_amount": ("amount paid", "实付金额", "实付", "买家实付金额", "pay amount", "支付金额"),
    "country": ("country code", "国家"),
    "province": ("state", "省", "省份", "收货省份", "收件省"),
    "city": ("市", "城市", "收货城市", "收件市"),
    "district": ("county", "区", "区县", "区/县", "收货区县", "收件区"),
    "address": ("street", "address line", "详细地址", "收货地址", "收件地址", "地址"),
    "name": ("recipient", "receiver", "收货人", "收件人", "收货人姓名", "姓名"),
    "phone": ("mobile", "telephone", "手机", "电话", "联系电话", "手机号", "联系手机"),
    "buyer": ("buyer id", "buyer key", "买家", "买家昵称", "买家会员名", "会员名"),
    "note": ("buyer note", "remark", "买家留言", "买家备注", "备注", "留言"),
    "seller_note": ("seller remark", "卖家备注", "商家备注"),
    "store": ("store code", "门店", "门店编码", "门店号"),
    "type": ("transaction type", "交易类型", "单据类型"),
    "original_number": ("orig receipt no", "original receipt no", "原小票号", "原单号"),
    "original_line": ("orig line no", "original line no", "原行号"),
}
REQUIRED: Final = ("order_number", "placed_at", "sku", "quantity", "unit_price", "province")
INSTEAD: Final = {"province": "store"}  # a till's store has its place in the channel's options


def _plain(word: str) -> str:
    return "".join(mark for mark in word.casefold() if mark not in " _-*\t　\ufeff")


_MEANING: Final = {_plain(word): column for column, words in ALIASES.items() for word in (column, *words)}


def _chinese(column: str) -> str:
    return next(word for word in ALIASES[column] if not word.isascii())


def understand(header: Sequence[str]) -> list[str]:
    """Return our word for each column of a header row, empty for one we do not use.

    Raises ``UnreadableFile`` when a column that is needed is missing or one is there twice.
    """
    found = [_MEANING.get(_plain(word), "") for word in header]
    missing = [column for column in REQUIRED if column not in found and INSTEAD.get(column) not in found]
    if missing:
        raise UnreadableFile(
            say(
                "The file has no column %(missing)s. Its columns are: %(found)s. Name the columns as in "
                "docs/file-import.md.",
                missing=", ".join(f"{column} ({_chinese(column)})" for column in missing),
                found=", ".join(word.strip() for word in header if word.strip())[:300] or "none",
            )
        )
    doubled = sorted({column for column in found if column and found.count(column) > 1})
    if doubled:
        raise UnreadableFile(
            say("Two columns of the file mean the same: %(doubled)s. Remove one.", doubled=", ".join(doubled))
        )
    return found
