"""Which goods a condition counts and a reward touches."""

from msgspec import Struct


class Goods(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Goods by SKU, category or brand (one of them is enough), without the excepted SKUs. Nothing named: all goods."""

    skus: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    except_skus: tuple[str, ...] = ()

    @property
    def is_everything(self) -> bool:
        """Return whether no goods are left out."""
        return not (self.skus or self.categories or self.brands or self.except_skus)

    def has(self, sku: str, category: str, brand: str) -> bool:
        """Return whether goods with these codes belong here."""
        if sku in self.except_skus:
            return False
        if not (self.skus or self.categories or self.brands):
            return True
        return sku in self.skus or category in self.categories or (brand != "" and brand in self.brands)


EVERYTHING = Goods()
