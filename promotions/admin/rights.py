"""Who may make and stop coupons: whoever may write on the promotion that they take money off for."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest

from audit.admin.verbs import Answer, Verb, show
from audit.rules.sentences import say
from promotions.models import Promotion
from promotions.services import permissions
from promotions.services.permissions import Right
from promotions.services.promotions import rule_of

CHANGE_ALL = "promotions.change_promotion"
BEYOND = say("You may not write on its promotion: it reaches beyond what you answer for.")


def may_write(user: Any, promotion: Promotion) -> bool:
    """Return whether a person may write on a promotion as it is in force, or else as it was written last."""
    if user.has_perm(CHANGE_ALL):
        return True
    newest = promotion.versions.order_by("-number").first()
    said = permissions.in_force(promotion) or ([rule_of(newest)] if newest else [])
    return permissions.may(user, Right.WRITE, promotion, said)


class CouponRightsMixin:
    """Lists whose verbs act only on the coupons of promotions that the person may write on."""

    def carry_out(self, request: HttpRequest, verb: Verb, rows: Sequence[Any], told: Mapping[str, Any]) -> None:
        """Leave out, and say so, what reaches beyond the person's rights."""
        promotions = {row.promotion_id: row.promotion for row in rows}  # of one page of rows: few
        allowed = {key for key, promotion in promotions.items() if may_write(request.user, promotion)}
        beyond = [row for row in rows if row.promotion_id not in allowed]
        if beyond:
            show(request, Answer(refused={str(row): BEYOND for row in beyond}))
        within = [row for row in rows if row.promotion_id in allowed]
        if within:
            super().carry_out(request, verb, within, told)  # type: ignore[misc]
