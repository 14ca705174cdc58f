"""The promotion engine: finding the rules that match, whole quotes with explanations, and real baskets.

Plain Python on one core, in CPU seconds of the process, the fastest of the rounds; ratios come from the same run.
"""

import json
import random
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from benchmarks import live_rules, real_baskets, retail_file
from benchmarks.figures import Figures, at_least, at_most
from benchmarks.machine import Database
from benchmarks.options import Options
from promotions.rules.baskets import Basket, Circumstances, Outcome, Quote
from promotions.rules.counter import Counter
from promotions.rules.engine import explain, quote
from promotions.rules.matching import RuleSet, compile_rules

try:
    import zen
except ImportError:  # another engine to compare with; requirements-dev.txt brings it
    zen = None

BASKETS = 1_000
LIVE = 200
MANY = 2_000
MATCHING = 20
AT = live_rules.AT


def run(figures: Figures, options: Options, _database: Database) -> None:
    """Measure the engine on made baskets, then on real ones."""
    chance = random.Random(1)
    live = live_rules.live(LIVE, chance)
    rules, baskets = compile_rules(live), live_rules.baskets(BASKETS, chance)
    _show_matching(figures, rules, baskets, options.rounds)
    _show_quotes(figures, rules, baskets, options.rounds)
    _show_many(figures, rules, compile_rules([*live, *live_rules.elsewhere(MANY - LIVE, chance)]), baskets, options)
    _show_real(figures, "grocer", real_baskets.grocer_file().exists(), real_baskets.grocer)
    _show_real(figures, "retailer", retail_file.source().exists(), real_baskets.retailer)


def _show_matching(figures: Figures, rules: RuleSet, baskets: list[Basket], rounds: int) -> None:
    """Measure from a basket to what is true of it; ZEN's values are made beforehand, which is in its favour."""
    figures.heading(f"matching: {LIVE} live rules, baskets of five lines")
    counters = [Counter(basket, Circumstances(), AT) for basket in baskets]

    def by_index() -> int:
        fresh = (Counter(basket, Circumstances(), AT) for basket in baskets)
        return sum([rule.check(counter) is None for counter in fresh for rule in rules.candidates(counter)])

    def by_loop() -> int:
        fresh = (Counter(basket, Circumstances(), AT) for basket in baskets)
        return sum([rule.check(counter) is None for counter in fresh for rule in rules.rules])

    ways: list[Callable[[], Any]] = [by_index, by_loop]
    contexts = [live_rules.zen_context(basket) for basket in baskets]
    if zen is not None:
        ways += _zen_ways(rules, contexts)
    index, loop, *others = _fastest(ways, rounds)
    figures.show("candidates_per_basket", sum(len(rules.candidates(counter)) for counter in counters) / len(counters))
    figures.show("matching_us_per_basket", index / BASKETS * 1e6)
    figures.show("loop_us_per_basket", loop / BASKETS * 1e6)
    figures.show("matching_to_loop_ratio", loop / index, at_least(2))
    if not others:
        figures.show("matching_to_zen_ratio", "not measured, zen-engine is not installed")
        return
    figures.show("zen_conditions_told_apart", _differences(rules, counters, contexts), at_most(0))
    figures.show("zen_us_per_basket", min(others) / BASKETS * 1e6)
    figures.show("matching_to_zen_ratio", min(others) / index, at_least(1))
    figures.show("loop_to_zen_ratio", min(others) / loop)


def _zen_ways(rules: RuleSet, contexts: list[dict[str, Any]]) -> list[Callable[[], Any]]:
    """Return two ways to ask ZEN the same: an expression per rule, and one graph that works out all of them."""
    texts = [live_rules.in_zen(rule.published.rule.condition) for rule in rules.rules]
    single = [zen.compile_expression(text) for text in texts]
    nodes = [
        {"id": "in", "name": "in", "type": "inputNode"},
        {"id": "all", "name": "all", "type": "expressionNode", "content": {"expressions": [
            {"id": f"r{place}", "key": f"r{place}", "value": text} for place, text in enumerate(texts)]}},
        {"id": "out", "name": "out", "type": "outputNode"},
    ]  # fmt: skip
    edges = [
        {"id": "1", "type": "edge", "sourceId": "in", "targetId": "all"},
        {"id": "2", "type": "edge", "sourceId": "all", "targetId": "out"},
    ]
    graph = zen.ZenEngine().create_decision(zen.ZenDecisionContent(json.dumps({"nodes": nodes, "edges": edges})))
    return [
        lambda: [expression.evaluate(context) for context in contexts for expression in single],
        lambda: [graph.evaluate(context) for context in contexts],
    ]


def _differences(rules: RuleSet, counters: list[Counter], contexts: list[dict[str, Any]]) -> int:
    """Return how many answers of the two engines differ: speed means nothing without the same answers."""
    single = [(rule, zen.compile_expression(live_rules.in_zen(rule.published.rule.condition))) for rule in rules.rules]
    return sum(
        (rule.check(counter) is None) is not bool(expression.evaluate(context))
        for counter, context in list(zip(counters, contexts, strict=True))[:100]
        for rule, expression in single
    )


def _show_quotes(figures: Figures, rules: RuleSet, baskets: list[Basket], rounds: int) -> None:
    figures.heading(f"quotes: {LIVE} live rules, baskets of five lines, a verdict for every rule")
    seconds, fully = _fastest([lambda: _quote_all(rules, baskets), lambda: _explain_all(rules, baskets)], rounds)
    quotes = [quote(basket, rules, at=AT) for basket in baskets]
    figures.show("verdicts_per_quote", sum(len(made.verdicts) for made in quotes) / BASKETS)
    figures.show("applied_per_quote", _applied(quotes) / BASKETS)
    figures.show("quotes_per_s", BASKETS / seconds, at_least(5_000))
    figures.show("full_explanations_per_s", BASKETS / fully)


def _show_many(figures: Figures, few: RuleSet, many: RuleSet, baskets: list[Basket], options: Options) -> None:
    figures.heading(f"many rules: {MANY:,}, of which at most {MATCHING} can match a basket")
    baskets = [one for one in baskets if len(few.candidates(Counter(one, Circumstances(), AT))) <= MATCHING]
    one, other = _fastest([lambda: _quote_all(few, baskets), lambda: _quote_all(many, baskets)], options.rounds)
    most = max(len(many.candidates(Counter(basket, Circumstances(), AT))) for basket in baskets)
    figures.show("many_baskets", len(baskets))
    figures.show("many_candidates_at_most", most, at_most(MATCHING))
    figures.show("many_to_few_rules_ratio", other / one, at_most(2))


def _show_real(figures: Figures, name: str, is_there: bool, read: Callable[[], Iterable[Basket]]) -> None:
    figures.heading(f"real baskets: a {name}'s under fifty live rules")
    if not is_there:
        figures.show(f"{name}_baskets", "not measured, the data set is not there (set REAL_DATA_DIR)")
        return
    baskets = list(read())
    rules = compile_rules(live_rules.of_each_kind(*real_baskets.most_sold(baskets)))
    crashes = wrong = below = applied = inexact = unexplained = 0
    off, seconds = Decimal(0), 0.0
    rest = iter(baskets)
    while part := list(islice(rest, 2_000)):
        began = time.process_time()
        quotes = [_quoted(basket, rules) for basket in part]
        seconds += time.process_time() - began
        made = [one for one in quotes if one is not None]
        crashes += len(part) - len(made)
        below += sum(line.net < 0 for one in made for line in one.lines)
        wrong += sum(not _adds_up(one) for one in made)
        unexplained += sum(len(one.verdicts) != len(rules.rules) for one in made)
        applied += _applied(made)
        inexact += sum(not one.is_exact for one in made)
        off += sum((line.granted for one in made for line in one.lines), Decimal(0))
    figures.show(f"{name}_baskets", len(baskets))
    figures.show(f"{name}_lines_per_basket", sum(len(basket.lines) for basket in baskets) / len(baskets))
    figures.show(f"{name}_baskets_per_s", len(baskets) / seconds)
    figures.show(f"{name}_crashes", crashes, at_most(0))
    figures.show(f"{name}_negative_lines", below, at_most(0))
    figures.show(f"{name}_totals_off_by_a_cent_or_more", wrong, at_most(0))
    figures.show(f"{name}_quotes_without_all_verdicts", unexplained, at_most(0))
    figures.show(f"{name}_applied_per_quote", applied / len(baskets))
    figures.show(f"{name}_quotes_not_exact", inexact)
    figures.show(f"{name}_taken_off", f"{off:,.2f}")


def _quoted(basket: Basket, rules: RuleSet) -> Quote | None:
    try:
        return quote(basket, rules, at=basket.placed_at or datetime.now(UTC))
    except Exception:  # noqa: BLE001  # whatever it is: it is counted, and the bar is none
        return None


def _adds_up(made: Quote) -> bool:
    return made.total == sum((line.net for line in made.lines), made.shipping) == (
        made.goods - made.discount + made.shipping
    )  # fmt: skip


def _applied(quotes: Iterable[Quote]) -> int:
    return sum(verdict.outcome is Outcome.APPLIED for made in quotes for verdict in made.verdicts)


def _quote_all(rules: RuleSet, baskets: list[Basket]) -> None:
    for basket in baskets:
        quote(basket, rules, at=AT)


def _explain_all(rules: RuleSet, baskets: list[Basket]) -> None:
    for basket in baskets:
        explain(basket, rules, at=AT)


def _fastest(ways: list[Callable[[], Any]], rounds: int) -> list[float]:
    """Run each way once per round, in turn, and return the CPU seconds of its fastest round."""
    best = [float("inf")] * len(ways)
    for _round in range(max(rounds, 3)):
        for place, way in enumerate(ways):
            began = time.process_time()
            way()
            best[place] = min(best[place], time.process_time() - began)
    return best
