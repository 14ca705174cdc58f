"""What a safety stock rule changes, as tables of its page: the sums, each node with a bar, the largest changes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audit.admin import columns
from inventory.admin.document import Table, Words
from inventory.models import Node, SafetyRule, Sku
from inventory.queries import safety as looks
from inventory.queries.safety import Effect
from inventory.services import safety_rules
from inventory.statuses import RuleStatus

NODES_SHOWN = 15


def rule_link(rule: SafetyRule) -> SafeString:
    """Return a rule's name with a link to it."""
    return columns.link(reverse("admin:inventory_safetyrule_change", args=[rule.pk]), rule.name)


def tables(rule: SafetyRule, *, at: datetime) -> list[Table]:
    """Return what a draft would change if it were published now, or what a live rule changes."""
    is_draft = rule.status == RuleStatus.DRAFT
    replaced = safety_rules.replaced_by(rule) if is_draft else None
    effect = looks.effect(rule, at=at, replaces=replaced)
    title = _("What it would change") if is_draft else _("What it changes")
    found = [Table(title, [(_("Figure"), False), (_("Quantity"), True)], _sums(effect), _hint(effect, replaced, at))]
    if effect.nodes:
        found.append(_nodes(effect))
    if effect.largest:
        found.append(_largest(effect))
    return found


def _sums(effect: Effect) -> list[list[Any]]:
    figures = (
        (gettext("Levels it is for"), effect.levels),
        (gettext("Levels that keep back another figure"), effect.changed),
        (gettext("Units newly kept back"), effect.kept_back),
        (gettext("Units set free"), effect.set_free),
        (gettext("Levels that promise nothing with it"), effect.empty),
        (gettext("of these, levels that promise something without it"), effect.newly_empty),
    )
    return [[name, columns.number(value)] for name, value in figures]


def _hint(effect: Effect, replaced: SafetyRule | None, at: datetime) -> str:
    hints = [gettext("With it and without it, on today's stock.")]
    if effect.at > at:
        moment = columns.stamp(effect.at)
        hints.append(
            gettext("The rule begins on %(moment)s: the rules of that moment are compared.") % {"moment": moment}
        )
    if replaced:
        hints.append(gettext("The live rule of the same name is retired with it."))
    if effect.late:
        hints.append(
            gettext("%(count)s levels are still to follow the live rules: under way.") % {"count": effect.late}
        )
    return " ".join(hints)


def _nodes(effect: Effect) -> Table:
    shown = effect.nodes[:NODES_SHOWN]
    nodes = Node.objects.in_bulk([one.node_id for one in shown])
    most = max(1, *(max(one.before, one.after) for one in shown))
    heads: list[tuple[Words, bool]] = [
        (_("Node"), False), (_("Without"), True), (_("With"), True), (_("Change"), True), ("", False),
    ]  # fmt: skip
    rows: list[Sequence[Any]] = [
        [
            columns.code_and_name(nodes[one.node_id]),
            columns.number(one.before),
            columns.number(one.after),
            columns.signed(one.after - one.before),
            _bars(one.before, one.after, most),
        ]
        for one in shown
    ]
    hint = gettext("%(shown)s of %(count)s nodes.") % {"shown": len(shown), "count": len(effect.nodes)}
    return Table(_("Units kept back by node"), heads, rows, hint)


def _bars(before: int, after: int, most: int) -> SafeString:
    """Draw what is kept back without the rule above what is kept back with it."""
    return format_html(
        '<span title="{} → {}"><span class="bar"><i class="bar-amber" style="width: {}%"></i></span><br>'
        '<span class="bar"><i style="width: {}%"></i></span></span>',
        before, after, round(100 * before / most), round(100 * after / most),
    )  # fmt: skip


def _largest(effect: Effect) -> Table:
    skus = Sku.objects.in_bulk([one.sku_id for one in effect.largest])
    nodes = Node.objects.in_bulk([one.node_id for one in effect.largest])
    heads = [(_("SKU"), False), (_("Node"), False), (_("Without"), True), (_("With"), True), (_("Change"), True),
             (_("Then promised"), True)]  # fmt: skip
    rows: list[Sequence[Any]] = [
        [
            columns.code_and_name(skus[one.sku_id]),
            columns.code_and_name(nodes[one.node_id]),
            columns.number(one.before),
            columns.number(one.after),
            columns.signed(one.after - one.before),
            columns.number(max(0, one.free - one.after)),
        ]
        for one in effect.largest
    ]
    return Table(_("Largest changes"), heads, rows)
