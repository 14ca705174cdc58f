"""Who the demo company is: channels, categories, nodes. Plain data; the catalogue has its own file."""

import os
from dataclasses import dataclass, field

from inventory.rules.cities import CITIES
from inventory.rules.geography import MAINLAND, REGIONS

NAME, NAME_EN = "栗屿生活", "Liyu Living"
ABROAD = ("71", "81", "82", "SG", "JP", "KR", "US", "CA", "GB", "AU", "MY", "TH")
SIMULATED_TAOBAO = f"http://127.0.0.1:{os.environ.get('TAOBAO_SIM_PORT') or 8701}/router/rest"
SIMULATED_HOUSE = f"http://127.0.0.1:{os.environ.get('HOUSE_SIM_PORT') or 8702}"
YUAN_PER_DOLLAR = 7  # the cross-border shop's price list, not a rate of exchange


@dataclass(frozen=True)
class DemoChannel:
    """One sales channel: what it is called, how it pays and ships, and its share of all orders."""

    code: str
    name: str
    name_en: str
    platform: str
    share: float
    unpaid_minutes: int
    ship_within_hours: int
    adapter: str = "house"
    currency: str = "CNY"
    base_url: str = SIMULATED_HOUSE
    credentials: dict[str, str] = field(default_factory=dict)
    code_prefix: str = ""  # of the channel's own codes; empty: it sells under ours
    listed_share: float = 0.0  # of the catalogue that has such a code
    number_style: str = "{day}{serial:08d}"  # of its order numbers
    is_priced_here: bool = False  # a shop of our own: our promotions make its prices


_HOUSE = {"secret": "house-secret"}  # what the simulated other side knows, see ``manage.py simulators``


CHANNELS = (
    DemoChannel(
        "TM",
        "栗屿天猫旗舰店",
        "Liyu Tmall flagship",
        "tmall",
        0.26,
        30,
        48,
        adapter="taobao",
        base_url=SIMULATED_TAOBAO,
        credentials={"app_key": "12345678", "app_secret": "helloworld", "session": "test"},
        code_prefix="TMX",
        listed_share=1.0,
        number_style="27{serial:014d}9",
    ),
    DemoChannel(
        "JD",
        "栗屿京东自营店",
        "Liyu JD shop",
        "jd",
        0.17,
        1440,
        24,
        credentials=_HOUSE,
        code_prefix="1000",
        listed_share=1.0,
        number_style="3{serial:011d}",
    ),
    DemoChannel(
        "PDD",
        "栗屿拼多多旗舰店",
        "Liyu Pinduoduo shop",
        "pdd",
        0.15,
        1440,
        48,
        credentials=_HOUSE,
        code_prefix="PG",
        listed_share=0.5,
        number_style="{day}-{serial:012d}",
    ),
    DemoChannel(
        "DY",
        "栗屿抖音小店",
        "Liyu Douyin shop",
        "douyin",
        0.15,
        30,
        48,
        credentials=_HOUSE,
        code_prefix="DYS",
        listed_share=0.6,
        number_style="69{serial:016d}",
    ),
    DemoChannel(
        "WX",
        "栗屿微信小程序",
        "Liyu WeChat mini program",
        "wechat",
        0.07,
        30,
        48,
        credentials=_HOUSE,
        number_style="WX{day}{serial:08d}",
        is_priced_here=True,
    ),
    DemoChannel(
        "YZ",
        "栗屿会员商城（有赞）",
        "Liyu member shop (Youzan)",
        "youzan",
        0.05,
        60,
        48,
        credentials=_HOUSE,
        number_style="E{day}{serial:010d}",
        is_priced_here=True,
    ),
    DemoChannel(
        "SHOP",
        "栗屿海外独立站（Shopify）",
        "Liyu abroad (Shopify)",
        "shopify",
        0.04,
        60,
        72,
        currency="USD",
        credentials=_HOUSE,
        code_prefix="LL-",
        listed_share=0.4,
        number_style="10{serial:07d}",
    ),
    DemoChannel(
        "WM",
        "栗屿微盟商城",
        "Liyu Weimob mall",
        "weimob",
        0.04,
        60,
        48,
        credentials=_HOUSE,
        number_style="{day}80{serial:08d}",
        is_priced_here=True,
    ),
    DemoChannel(
        "POS",
        "栗屿门店收银",
        "Liyu store tills",
        "pos",
        0.07,
        15,
        24,
        credentials=_HOUSE,
        number_style="T{day}{serial:07d}",
        is_priced_here=True,
    ),
)
BY_CODE = {channel.code: channel for channel in CHANNELS}
WAREHOUSE_SYSTEM = DemoChannel(
    "WMS", "仓库系统", "Warehouse system", "wms", 0.0, 0, 0, credentials=_HOUSE, number_style="W{serial:08d}"
)


@dataclass(frozen=True)
class DemoCategory:
    """One of the eight groups of goods, with the twelve months' demand and how areas like it."""

    code: str
    name: str
    name_en: str
    letters: str  # the beginning of its SKU codes
    share: float
    by_month: tuple[float, ...]
    by_area: dict[str, float] = field(default_factory=dict)


_EVEN = (1.0,) * 12
_SUMMER = (0.7, 0.75, 0.85, 1.0, 1.2, 1.4, 1.5, 1.4, 1.1, 0.9, 0.75, 0.7)
_WINTER = (1.35, 1.2, 1.0, 0.85, 0.7, 0.6, 0.55, 0.6, 0.9, 1.2, 1.4, 1.45)
_TRIPS = (0.6, 0.7, 1.0, 1.4, 1.5, 1.1, 1.0, 1.0, 1.2, 1.4, 0.8, 0.6)
_FEAST = (1.6, 1.5, 0.9, 0.9, 0.9, 0.9, 0.8, 0.9, 1.2, 1.0, 1.0, 1.2)
CATEGORIES = (
    DemoCategory("home", "家居", "Home", "HM", 0.17, _WINTER, {"northeast": 1.2, "north": 1.1, "south": 0.8}),
    DemoCategory("kitchen", "厨房", "Kitchen", "KT", 0.14, _EVEN, {"east": 1.1, "southwest": 1.1}),
    DemoCategory("outdoor", "户外", "Outdoor", "OD", 0.09, _TRIPS, {"southwest": 1.3, "northwest": 1.2, "south": 1.1}),
    DemoCategory("beauty", "美妆个护", "Beauty", "BT", 0.15, _EVEN, {"east": 1.2, "south": 1.1, "abroad": 1.2}),
    DemoCategory("snacks", "零食", "Snacks", "SN", 0.15, _FEAST, {"southwest": 1.2, "central": 1.2, "northeast": 0.9}),
    DemoCategory("drinks", "饮品", "Drinks", "DR", 0.10, _SUMMER, {"south": 1.4, "central": 1.1, "northeast": 0.7}),
    DemoCategory("apparel", "基础服饰", "Apparel basics", "AP", 0.12, _WINTER, {"northeast": 1.5, "north": 1.3}),
    DemoCategory("baby", "母婴", "Baby", "BB", 0.08, _EVEN, {"central": 1.2, "east": 1.0, "abroad": 0.5}),
)


@dataclass(frozen=True)
class DemoNode:
    """One place that holds stock."""

    code: str
    name: str
    name_en: str
    kind: str
    region: str
    city: str
    latitude: float
    longitude: float
    serves: tuple[str, ...]
    parcels_per_day: int


def _area(*areas: str) -> tuple[str, ...]:
    return tuple(sorted(code for code in MAINLAND if REGIONS[code].area in areas))


_EVERYWHERE = tuple(sorted(MAINLAND))
_DCS = (
    ("DC-KS", "昆山中心仓", "Kunshan central DC", "central_dc", "32", "昆山", _EVERYWHERE, 20_000),
    ("DC-GZ", "广州中心仓", "Guangzhou central DC", "central_dc", "44", "广州", _EVERYWHERE + ABROAD, 20_000),
    ("RDC-TJ", "天津区域仓", "Tianjin regional DC", "regional_dc", "12", "天津", (*_area("north"), "37"), 6_000),
    ("RDC-WH", "武汉区域仓", "Wuhan regional DC", "regional_dc", "42", "武汉", (*_area("central"), "34", "36"), 6_000),
    ("RDC-CD", "成都区域仓", "Chengdu regional DC", "regional_dc", "51", "成都", _area("southwest"), 6_000),
    ("RDC-XA", "西安区域仓", "Xi'an regional DC", "regional_dc", "61", "西安", _area("northwest"), 6_000),
    ("RDC-SY", "沈阳区域仓", "Shenyang regional DC", "regional_dc", "21", "沈阳", _area("northeast"), 6_000),
)
_STORES = (
    ("11", "北京", "Beijing", (("朝阳店", "Chaoyang"), ("海淀店", "Haidian"))),
    ("12", "天津", "Tianjin", (("和平店", "Heping"),)),
    ("13", "石家庄", "Shijiazhuang", (("长安店", "Chang'an"),)),
    ("14", "太原", "Taiyuan", (("迎泽店", "Yingze"),)),
    ("21", "沈阳", "Shenyang", (("和平店", "Heping"),)),
    ("21", "大连", "Dalian", (("中山店", "Zhongshan"),)),
    ("22", "长春", "Changchun", (("南关店", "Nanguan"),)),
    ("23", "哈尔滨", "Harbin", (("道里店", "Daoli"),)),
    ("31", "上海", "Shanghai", (("静安店", "Jing'an"), ("徐汇店", "Xuhui"), ("浦东店", "Pudong"))),
    ("32", "南京", "Nanjing", (("鼓楼店", "Gulou"),)),
    ("32", "苏州", "Suzhou", (("姑苏店", "Gusu"),)),
    ("32", "无锡", "Wuxi", (("梁溪店", "Liangxi"),)),
    ("33", "杭州", "Hangzhou", (("上城店", "Shangcheng"), ("西湖店", "Xihu"))),
    ("33", "宁波", "Ningbo", (("海曙店", "Haishu"),)),
    ("34", "合肥", "Hefei", (("蜀山店", "Shushan"),)),
    ("35", "福州", "Fuzhou", (("鼓楼店", "Gulou"),)),
    ("35", "厦门", "Xiamen", (("思明店", "Siming"),)),
    ("36", "南昌", "Nanchang", (("东湖店", "Donghu"),)),
    ("37", "济南", "Jinan", (("历下店", "Lixia"),)),
    ("37", "青岛", "Qingdao", (("市南店", "Shinan"),)),
    ("41", "郑州", "Zhengzhou", (("金水店", "Jinshui"),)),
    ("42", "武汉", "Wuhan", (("江汉店", "Jianghan"),)),
    ("43", "长沙", "Changsha", (("芙蓉店", "Furong"),)),
    ("44", "广州", "Guangzhou", (("天河店", "Tianhe"),)),
    ("44", "深圳", "Shenzhen", (("南山店", "Nanshan"), ("福田店", "Futian"))),
    ("44", "佛山", "Foshan", (("禅城店", "Chancheng"),)),
    ("45", "南宁", "Nanning", (("青秀店", "Qingxiu"),)),
    ("46", "海口", "Haikou", (("龙华店", "Longhua"),)),
    ("50", "重庆", "Chongqing", (("渝中店", "Yuzhong"),)),
    ("51", "成都", "Chengdu", (("锦江店", "Jinjiang"), ("武侯店", "Wuhou"))),
    ("52", "贵阳", "Guiyang", (("南明店", "Nanming"),)),
    ("53", "昆明", "Kunming", (("五华店", "Wuhua"),)),
    ("61", "西安", "Xi'an", (("碑林店", "Beilin"),)),
    ("62", "兰州", "Lanzhou", (("城关店", "Chengguan"),)),
)


def _nodes() -> tuple[DemoNode, ...]:
    """Put the DCs first, then the stores in the order of their towns."""
    nodes = [
        DemoNode(code, name, name_en, kind, region, city, *CITIES[region, city], serves, room)
        for code, name, name_en, kind, region, city, serves, room in _DCS
    ]
    for region, city, city_en, shops in _STORES:
        latitude, longitude = CITIES[region, city]
        for place, (shop, shop_en) in enumerate(shops):
            nodes.append(
                DemoNode(
                    f"ST{len(nodes) - len(_DCS) + 1:03d}",
                    f"{city}{shop}",
                    f"{city_en} {shop_en} store",
                    "store",
                    region,
                    city,
                    round(latitude + 0.03 * place, 3),
                    round(longitude + 0.04 * place, 3),
                    (region,),
                    60,
                )
            )
    return tuple(nodes)


NODES = _nodes()
