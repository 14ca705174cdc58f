"""Coupons at the desk: made, downloaded, found, stopped, and who used them."""

import csv
import io
from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from guardian.shortcuts import assign_perm

from promotions.models import Coupon, CouponBatch, Promotion, Redemption
from promotions.rules.rewards import SpendAndSave, Step
from promotions.rules.rule import Limits, Rule
from promotions.services import coupons, limits
from promotions.services.coupons import Term, Wanted
from promotions.services.limits import Taking
from tests.promotions.services import scenes
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db
BATCHES, COUPONS, REDEMPTIONS = (f"/admin/promotions/{name}/" for name in ("couponbatch", "coupon", "redemption"))
SAVE_5 = SpendAndSave((Step(D(20), D(5)),))


@pytest.fixture
def promotion():
    rule = Rule(reward=SAVE_5, needs_coupon=True, limits=Limits(most_uses_of_a_buyer=2, budget=D(500)))
    return scenes.live("WELCOME", rule).promotion


def batch_of(promotion, size=4, **told):
    return coupons.make_batch(promotion, Wanted("Autumn", size, **told), actor=TESTER, at=NOON)


def use(coupon, number, *, paid=False, at=NOON):
    taking = Taking(number, "JD", coupon.promotion_id, 1, D(5), f"JD:buyer-{number}", coupon.pk)
    assert limits.take([taking], at=at, paid=[number] if paid else ()) == []


def text(answer):
    return answer.content.decode()


def test_a_batch_is_made_by_a_form_and_its_page_shows_where_it_stands(desk, promotion):
    told = {"promotion": promotion.pk, "name": "Autumn", "size": "3", "beginning": "fall-",
            "starts_at": "2026-11-01T00:00", "ends_at": "2036-12-01T00:00"}  # fmt: skip
    answer = desk.post(f"{BATCHES}add/", told)
    batch = CouponBatch.objects.get()
    assert (answer.status_code, answer["location"]) == (302, f"{BATCHES}{batch.pk}/change/")
    assert (batch.size, batch.name, batch.created_by) == (3, "Autumn", "person:boss")
    assert {code[:4] for code in batch.coupons.values_list("code", flat=True)} == {"FALL"}
    use(batch.coupons.first(), "a")
    use(batch.coupons.last(), "b", paid=True)
    page = text(desk.get(answer["location"]))
    assert "2 / 3" in page
    assert "1 used, 1 reserved, 1 left" in page
    assert "at most 2 times" in page
    assert "2026-11-01 00:00 –<br>2036-12-01 00:00" in page


def test_only_promotions_that_ask_for_a_coupon_are_offered(desk, promotion):
    scenes.live("PLAIN", Rule(reward=SAVE_5))
    for url in (f"{BATCHES}add/", f"{COUPONS}add/"):
        page = text(desk.get(url))
        assert "WELCOME" in page
        assert "PLAIN" not in page
    plain = Promotion.objects.get(code="PLAIN")
    assert desk.post(f"{BATCHES}add/", {"promotion": plain.pk, "name": "x", "size": "1"}).status_code == 200
    assert not CouponBatch.objects.exists()


def test_the_form_opens_with_the_promotion_of_the_link(desk, promotion):
    page = text(desk.get(f"{BATCHES}add/?promotion={promotion.pk}"))
    assert f'<option value="{promotion.pk}" selected' in page


@pytest.mark.parametrize(
    ("change", "words"),
    [({"size": "100001"}, "100000"), ({"size": "0"}, "1"), ({"beginning": "x" * 29}, "28"),
     ({"starts_at": "2026-12-01T00:00", "ends_at": "2026-11-01T00:00"}, "The coupons would end before they start.")],
)  # fmt: skip
def test_a_batch_that_is_not_possible_is_refused_with_the_reason(desk, promotion, change, words):
    answer = desk.post(f"{BATCHES}add/", {"promotion": promotion.pk, "name": "x", "size": "1"} | change)
    assert answer.status_code == 200
    assert words in text(answer)
    assert (CouponBatch.objects.count(), Coupon.objects.count()) == (0, 0)


def test_a_large_batch_is_made_step_by_step_and_its_page_shows_how_far_it_is(desk, promotion, monkeypatch):
    monkeypatch.setattr(coupons, "MADE_AT_ONCE", 2)
    monkeypatch.setattr(coupons, "MADE_BY_A_STEP", 3)
    batch = batch_of(promotion, 7, prefix="big", term=Term(NOON, NOON + timedelta(days=9)))
    page = text(desk.get(f"{BATCHES}{batch.pk}/change/"))
    assert '<progress class="upload-bar" max="7" value="2"' in page
    progress = desk.get(f"{BATCHES}{batch.pk}/progress/").json()
    assert progress == {"state": "waiting", "read": 2, "rows": 7, "words": "2 of 7 codes are made."}
    answer = desk.get(f"{BATCHES}{batch.pk}/codes.csv", follow=True)
    assert "Not all codes are made yet." in text(answer)
    assert coupons.fill(batch.pk) == 3
    assert coupons.fill_waiting(at=NOON) == 2
    assert coupons.fill_waiting(at=NOON) == 0
    assert desk.get(f"{BATCHES}{batch.pk}/progress/").json()["state"] == "done"
    made = set(batch.coupons.values_list("starts_at", "ends_at", "most_uses"))
    assert (batch.coupons.count(), made) == (7, {(NOON, NOON + timedelta(days=9), 1)})
    assert {(code[:3], len(code)) for code in batch.coupons.values_list("code", flat=True)} == {("BIG", 15)}


def test_a_batch_that_was_stopped_while_it_was_made_gets_no_more_codes(desk, promotion, monkeypatch):
    monkeypatch.setattr(coupons, "MADE_AT_ONCE", 2)
    batch = batch_of(promotion, 7)
    desk.post(f"{BATCHES}do/stop/?ids={batch.pk}", {"reason": "printed twice"})
    assert coupons.fill_waiting(at=NOON) == 0
    batch.refresh_from_db()
    assert (batch.size, batch.coupons.count(), batch.coupons.filter(is_active=True).count()) == (2, 2, 0)


def test_the_file_has_every_code_once_and_nothing_that_a_sheet_works_out(desk, promotion):
    batch = batch_of(promotion, 3, term=Term(NOON))
    Coupon.objects.filter(pk=batch.coupons.first().pk).update(code="=1+1")
    use(batch.coupons.last(), "a")
    answer = desk.get(f"{BATCHES}{batch.pk}/codes.csv")
    assert answer["Content-Disposition"] == 'attachment; filename="Autumn.csv"'
    assert "no-store" in answer["Cache-Control"]
    content = b"".join(answer.streaming_content)
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    codes = list(batch.coupons.order_by("pk").values_list("code", flat=True))
    assert rows[0] == ["code", "from", "until", "state"]
    assert [row[0] for row in rows[1:]] == ["'=1+1", *codes[1:]]
    assert [row[1:] for row in rows[1:]] == [[NOON.isoformat(), "", "free"], [NOON.isoformat(), "", "free"],
                                            [NOON.isoformat(), "", "taken"]]  # fmt: skip


def test_a_shared_code_is_made_by_a_form_and_exists_once(desk, promotion):
    told = {"promotion": promotion.pk, "code": "double 11", "most_uses": "50"}
    answer = desk.post(f"{COUPONS}add/", told)
    coupon = Coupon.objects.get()
    assert answer["location"] == f"{COUPONS}{coupon.pk}/change/"
    assert (coupon.code, coupon.most_uses, coupon.batch) == ("DOUBLE11", 50, None)
    assert "The code DOUBLE11 exists already." in text(desk.post(f"{COUPONS}add/", told | {"most_uses": "9"}))
    assert Coupon.objects.get().most_uses == 50


def test_coupons_are_stopped_with_a_reason_and_cannot_be_taken_any_more(desk, promotion):
    batch = batch_of(promotion, 3)
    held, free, other = batch.coupons.order_by("pk")
    use(held, "a")
    assert desk.post(f"{COUPONS}do/stop/?ids={held.pk},{free.pk}", {"reason": ""}).status_code == 200
    assert Coupon.objects.filter(is_active=True).count() == 3
    answer = desk.post(f"{COUPONS}do/stop/?ids={held.pk},{free.pk}", {"reason": "leaked"}, follow=True)
    assert "2 coupons are stopped." in text(answer)
    assert list(Coupon.objects.filter(is_active=True)) == [other]
    assert Redemption.objects.get().status == "reserved"
    said = promotion.history.order_by("-history_id").first().history_change_reason
    assert said == f"person:boss: stopped: leaked – {held.code}, {free.code}"
    taking = Taking("b", "JD", promotion.pk, 1, D(5), coupon_id=free.pk)
    assert limits.take([taking], at=NOON) == [taking]
    again = text(desk.post(f"{COUPONS}do/stop/?ids={free.pk}", {"reason": "leaked"}, follow=True))
    assert "It was stopped before." in again
    page = text(desk.get(f"{BATCHES}{batch.pk}/change/"))
    assert "0 used, 1 reserved, 1 left, 1 stopped" in page


@pytest.mark.parametrize(
    ("typed", "found"),
    [("fall-", {"FALLA", "FALLB"}), ("falla", {"FALLA"}), ("Fall A", {"FALLA"}), ("falla, SIX18", {"FALLA", "SIX18"}),
     ("nobody", set())],
)  # fmt: skip
def test_coupons_are_found_by_their_code(desk, promotion, typed, found):
    for code in ("FALLA", "FALLB", "SIX18"):
        Coupon.objects.create(code=code, promotion=promotion, most_uses=1)
    answer = desk.get(COUPONS, {"q": typed})
    assert {row.code for row in answer.context["cl"].result_list} == found


@pytest.mark.parametrize(
    ("state", "found"),
    [("free", {"FREE", "ENDLESS"}), ("used_up", {"USED"}), ("over", {"OVER"}), ("stopped", {"STOPPED"}), ("x", None)],
)
def test_coupons_are_narrowed_by_their_state(desk, promotion, state, found):
    now = timezone.now()
    facts = {"FREE": {"most_uses": 2, "taken": 1}, "ENDLESS": {"taken": 9}, "USED": {"most_uses": 2, "taken": 2},
             "OVER": {"most_uses": 1, "ends_at": now}, "STOPPED": {"is_active": False},
             "COMING": {"starts_at": now + timedelta(days=1)}}  # fmt: skip
    for code, columns in facts.items():
        Coupon.objects.create(code=code, promotion=promotion, **columns)
    rows = desk.get(COUPONS, {"state": state}).context["cl"].result_list
    assert {row.code for row in rows} == (set(facts) if found is None else found)


def test_redemptions_lead_to_order_promotion_and_coupon_and_mask_the_buyer(desk, promotion):
    batch = batch_of(promotion, 2)
    coupon, other = batch.coupons.order_by("pk")
    use(coupon, "JD-1", paid=True)
    use(other, "JD-2")
    page = text(desk.get(REDEMPTIONS))
    assert '<a class="key" href="/admin/orders/order/?q=JD-1">JD-1</a>' in page
    assert f'href="/admin/promotions/promotion/{promotion.pk}/change/"' in page
    assert f'href="/admin/promotions/coupon/?q={coupon.code}"' in page
    assert "JD:…JD-1" in page
    assert "buyer-JD-1" not in page
    assert "¥5.00" in page
    for query, numbers in (
        ({"q": "JD-1"}, ["JD-1"]), ({"q": "JD-1 JD-2"}, ["JD-2", "JD-1"]), ({"q": other.code.lower()}, ["JD-2"]),
        ({"status": "committed"}, ["JD-1"]), ({"coupon": other.pk}, ["JD-2"]), ({"batch": batch.pk + 1}, []),
        ({"promotion": promotion.pk}, ["JD-2", "JD-1"]),
    ):  # fmt: skip
        assert [row.reference for row in desk.get(REDEMPTIONS, query).context["cl"].result_list] == numbers, query


def test_a_promotions_page_leads_to_its_coupons_and_uses_and_shows_its_pace(desk, promotion):
    page = text(desk.get(reverse("admin:promotions_promotion_change", args=[promotion.pk])))
    for model in ("coupon", "couponbatch", "redemption"):
        assert f'href="/admin/promotions/{model}/?promotion={promotion.pk}"' in page
    assert f'href="/admin/promotions/couponbatch/add/?promotion={promotion.pk}"' in page
    assert "¥0.00 / ¥500.00" in page
    use(batch_of(promotion).coupons.first(), "a")
    listed = text(desk.get("/admin/promotions/promotion/"))
    assert "¥5.00 / ¥500.00" in listed
    assert "¥5.00 reserved, ¥495.00 left" in listed


def test_a_promotion_without_a_coupon_leads_to_its_uses_only(desk):
    plain = scenes.live("PLAIN", Rule(reward=SAVE_5)).promotion
    page = text(desk.get(reverse("admin:promotions_promotion_change", args=[plain.pk])))
    assert f'href="/admin/promotions/redemption/?promotion={plain.pk}"' in page
    assert "/admin/promotions/coupon/?" not in page


def test_empty_lists_say_how_to_begin(desk):
    assert "No coupons were made yet." in text(desk.get(BATCHES))
    assert "No coupons yet." in text(desk.get(COUPONS))
    assert "No order has used a promotion yet." in text(desk.get(REDEMPTIONS))


def test_who_may_only_look_makes_stops_and_downloads_nothing(clerk, promotion):
    batch = batch_of(promotion)
    coupon = batch.coupons.first()
    reader = clerk("promotions.view_coupon", "promotions.view_couponbatch", "promotions.view_redemption")
    for url in (BATCHES, COUPONS, REDEMPTIONS, f"{BATCHES}{batch.pk}/change/", f"{COUPONS}{coupon.pk}/change/"):
        assert reader.get(url).status_code == 200
    assert "Codes (CSV)" not in text(reader.get(f"{BATCHES}{batch.pk}/change/"))
    for url in (f"{BATCHES}add/", f"{COUPONS}add/", f"{BATCHES}{batch.pk}/codes.csv"):
        assert reader.get(url).status_code == 403
    for url in (f"{BATCHES}do/stop/?ids={batch.pk}", f"{COUPONS}do/stop/?ids={coupon.pk}"):
        assert reader.post(url, {"reason": "x"}).status_code == 403
    assert reader.post(f"{COUPONS}add/", {"promotion": promotion.pk, "code": "X"}).status_code == 403
    assert (Coupon.objects.count(), Coupon.objects.filter(is_active=True).count()) == (4, 4)
    nobody = clerk()
    for url in (BATCHES, COUPONS, REDEMPTIONS, f"{BATCHES}{batch.pk}/progress/"):
        assert nobody.get(url).status_code == 403


def test_who_answers_for_another_channel_makes_stops_and_downloads_no_coupons(clerk, promotion):
    """The rights on coupons alone are not enough: coupons take money off for the promotion."""
    batch = batch_of(promotion, 2)
    names = ("view_coupon", "add_coupon", "change_coupon", "view_couponbatch", "add_couponbatch", "change_couponbatch")
    limited = clerk(*(f"promotions.{name}" for name in names))
    words = "You may not write on its promotion: it reaches beyond what you answer for."
    told = {"promotion": promotion.pk, "name": "x", "size": "1", "code": "X"}
    for url in (f"{BATCHES}add/", f"{COUPONS}add/"):
        assert words in text(limited.post(url, told))
    for url in (f"{BATCHES}do/stop/?ids={batch.pk}", f"{COUPONS}do/stop/?ids={batch.coupons.first().pk}"):
        assert words in text(limited.post(url, {"reason": "x"}, follow=True))
    assert limited.get(f"{BATCHES}{batch.pk}/codes.csv").status_code == 403
    assert (Coupon.objects.count(), Coupon.objects.filter(is_active=True).count()) == (2, 2)
    user = User.objects.get(pk=limited.session["_auth_user_id"])
    assign_perm("promotions.change_promotion", user, promotion)
    assert limited.get(f"{BATCHES}{batch.pk}/codes.csv").status_code == 200
    assert limited.post(f"{COUPONS}add/", told).status_code == 302
    limited.post(f"{BATCHES}do/stop/?ids={batch.pk}", {"reason": "x"})
    assert list(Coupon.objects.filter(is_active=True).values_list("code", flat=True)) == ["X"]


@pytest.mark.parametrize("url", [BATCHES, COUPONS, REDEMPTIONS])
def test_the_number_of_queries_does_not_depend_on_the_rows(desk, promotion, url):
    counts = []
    for rounds in range(1, 4):
        batch = batch_of(promotion, 2)
        use(batch.coupons.first(), f"{rounds}a", paid=True)
        use(batch.coupons.last(), f"{rounds}b")
        if rounds in (1, 3):
            with CaptureQueriesContext(connection) as queries:
                assert desk.get(url).status_code == 200
            counts.append(len(queries))
    assert counts[0] == counts[1]
