"""Checking what stands on goods with a date before they are taken in: the code of their lot and its date."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.utils import timezone

from audit.rules.sentences import Sentence, say
from inventory.queries import lots as questions
from inventory.services import lots
from inventory.services.lots import Label

LONGEST_CODE = 40


@dataclass(frozen=True)
class Book:
    """What is known of the SKUs and lots that some rows name."""

    day: date
    tracked: Collection[int]
    known: Mapping[tuple[int, str], tuple[int, date | None]]

    def date_of(self, label: Label) -> date | None:
        """Return the date of a lot: the one on the goods, or the one that is written down."""
        return label.expires_date or self.known.get((label.sku_id, label.code), (0, None))[1]

    def why_not(self, label: Label) -> Sentence | None:
        """Return why goods with this label cannot be taken in; None when they can."""
        if label.sku_id not in self.tracked:
            return say("This SKU has no lots.") if label.code or label.expires_date else None
        if len(label.code) > LONGEST_CODE:
            return say("A lot's code has at most %(most)s characters.", most=LONGEST_CODE)
        expires = self.date_of(label)
        if (label.sku_id, label.code) in self.known and expires != self.known[label.sku_id, label.code][1]:
            return say("Lot %(lot)s is known with another date. Correct one of the two.", lot=label.code or "–")
        if expires and expires < self.day:
            return say("Lot %(lot)s is past its date %(date)s.", lot=label.code, date=f"{expires:%Y-%m-%d}")
        return None


def read(labels: Collection[Label], *, at: datetime) -> Book:
    """Return what is known of these labels' SKUs and lots: two queries, one when no SKU has lots."""
    tracked = questions.tracked(label.sku_id for label in labels)
    return Book(timezone.localdate(at), tracked, lots.known(labels) if tracked else {})
