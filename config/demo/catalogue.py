"""Six hundred SKUs out of the product families: singles, bundles of them, and gifts. The same on every machine."""

from dataclasses import dataclass
from random import Random

from config.demo.company import CATEGORIES, CHANNELS, YUAN_PER_DOLLAR, DemoChannel
from config.demo.goods import BRANDS, FAMILIES, GIFTS, VARIANTS, Family

SKUS = 600
BUNDLES = 30
SEED = 20_260_101  # the catalogue does not change with the seed of the orders
BUNDLE_PRICE = 0.88  # of its parts
SIZE_STEP = 0.12  # how much dearer and heavier each larger size is
ZIPF_EXPONENT, ZIPF_SHIFT = 0.85, 6.0
TAOBAO_ITEM, TAOBAO_SKU = 680_000_000_000, 5_100_000_000_000


@dataclass(frozen=True)
class DemoSku:
    """One SKU with what generation must know of it; ``parts`` are (place in the catalogue, quantity)."""

    code: str
    name: str
    name_en: str
    kind: str  # single | bundle | gift
    category: str
    brand: str
    barcode: str
    price_fen: int
    cost_fen: int
    weight_g: int
    popularity: float = 0.0
    parts: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class DemoListing:
    """What a channel calls a SKU."""

    channel: str
    place: int  # of the SKU in the catalogue
    external_code: str
    item_id: str = ""
    sku_id: str = ""


def barcode(serial: int) -> str:
    """Return a valid EAN-13 in the range 20-29, which is for use inside one shop."""
    digits = f"21{serial:010d}"
    odd, even = sum(map(int, digits[::2])), sum(map(int, digits[1::2]))
    return f"{digits}{-(odd + 3 * even) % 10}"


def make() -> tuple[DemoSku, ...]:
    """Return the catalogue: singles by category, then bundles, then gifts."""
    rng = Random(SEED)
    singles = _singles(rng)
    bundles = [_bundle(rng, serial, singles) for serial in range(1, BUNDLES + 1)]
    return (*singles, *bundles, *(_gift(serial, *gift) for serial, gift in enumerate(GIFTS, start=1)))


def listings(skus: tuple[DemoSku, ...]) -> list[DemoListing]:
    """Return the channels' own codes; a SKU without one is sold under our own code."""
    return [
        _listing(channel, place, sku)
        for channel in CHANNELS
        for place, sku in enumerate(skus)
        if sku.kind != "gift" and channel.code_prefix and _is_listed(channel, place)
    ]


def price_on(channel: DemoChannel, sku: DemoSku) -> int:
    """Return the unit price in the channel's currency, in hundredths."""
    if channel.currency == "CNY":
        return sku.price_fen
    return -(-sku.price_fen // (YUAN_PER_DOLLAR * 100)) * 100 - 1  # 12.99, 25.99 …


def _singles(rng: Random) -> list[DemoSku]:
    wanted = SKUS - BUNDLES - len(GIFTS)
    drafts = [
        (category.code, family, variant)
        for category in CATEGORIES
        for family in FAMILIES[category.code]
        for variant in range(len(VARIANTS[family.variants]))
    ]
    dropped = set(rng.sample(range(len(drafts)), len(drafts) - wanted))
    kept = [draft for place, draft in enumerate(drafts) if place not in dropped]
    ranks = rng.sample(range(wanted), wanted)
    letters = {category.code: category.letters for category in CATEGORIES}
    return [
        _single(f"{letters[category]}{serial:04d}", category, family, variant, (serial, ranks[serial - 1]), rng)
        for serial, (category, family, variant) in enumerate(kept, start=1)
    ]


def _single(
    code: str, category: str, family: Family, variant: int, serial_and_rank: tuple[int, int], rng: Random
) -> DemoSku:
    serial, rank = serial_and_rank
    word, word_en = VARIANTS[family.variants][variant]
    larger = 1 + SIZE_STEP * (variant - 1) if family.variants == "size" else 1.0
    price = max(900, round(family.price * larger) * 100 - (0 if family.price < 100 else 100))
    return DemoSku(
        code=code,
        name=f"{family.name} {word}",
        name_en=f"{family.name_en}, {word_en}",
        kind="single",
        category=category,
        brand=rng.choice(BRANDS[category]),
        barcode=barcode(serial),
        price_fen=price,
        cost_fen=round(price * rng.uniform(0.34, 0.58)),
        weight_g=round(family.weight_g * larger),
        popularity=1.0 / (rank + ZIPF_SHIFT) ** ZIPF_EXPONENT,
    )


def _bundle(rng: Random, serial: int, singles: list[DemoSku]) -> DemoSku:
    """Put two or three singles of one category under one code, cheaper than apart."""
    category = CATEGORIES[serial % len(CATEGORIES)].code
    places = [place for place, sku in enumerate(singles) if sku.category == category]
    parts = tuple((place, rng.choice((1, 1, 1, 2))) for place in sorted(rng.sample(places, rng.choice((2, 2, 3)))))
    chosen = [(singles[place], quantity) for place, quantity in parts]
    price = round(sum(sku.price_fen * quantity for sku, quantity in chosen) * BUNDLE_PRICE / 100) * 100
    return DemoSku(
        code=f"BD{serial:04d}",
        name="组合装 " + " + ".join(f"{sku.name}×{quantity}" for sku, quantity in chosen),
        name_en="Set: " + " + ".join(f"{quantity} {sku.name_en}" for sku, quantity in chosen),
        kind="bundle",
        category=category,
        brand=chosen[0][0].brand,
        barcode=barcode(700_000 + serial),
        price_fen=price,
        cost_fen=sum(sku.cost_fen * quantity for sku, quantity in chosen),
        weight_g=sum(sku.weight_g * quantity for sku, quantity in chosen),
        popularity=0.6 * sum(sku.popularity for sku, _ in chosen) / len(chosen),
        parts=parts,
    )


def _gift(serial: int, name: str, name_en: str, cost: int, weight_g: int) -> DemoSku:
    return DemoSku(
        code=f"GF{serial:04d}",
        name=f"赠品 {name}",
        name_en=f"Gift: {name_en}",
        kind="gift",
        category=CATEGORIES[serial % len(CATEGORIES)].code,
        brand="栗屿",
        barcode=barcode(900_000 + serial),
        price_fen=0,
        cost_fen=cost * 100,
        weight_g=weight_g,
    )


def _is_listed(channel: DemoChannel, place: int) -> bool:
    return (place * 7919 % 1000) < channel.listed_share * 1000


def _listing(channel: DemoChannel, place: int, sku: DemoSku) -> DemoListing:
    if channel.adapter == "taobao":
        return DemoListing(
            channel.code,
            place,
            f"{channel.code_prefix}{place + 1:04d}",
            str(TAOBAO_ITEM + place * 37),
            str(TAOBAO_SKU + place * 53),
        )
    code = f"{channel.code_prefix}{sku.code if channel.code_prefix.endswith('-') else f'{place + 10_000:06d}'}"
    return DemoListing(channel.code, place, code, str(30_000_000 + place * 11), code)
