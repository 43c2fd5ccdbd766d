"""report.html in a real browser: what it shows, what it asks for, and what hostile names make of it."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.chromium import chromium
from tests.browser.samples import HOSTILE, REPORT, STOPPED, VERIFICATION, with_texts
from vecferry.report.page import render_page
from vecferry.report.redact import redacted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page

    from vecferry.report.report import Report

PHONE, DESK = 375, 1280
A4 = 688
"""Pixels of the paper's width between the margins."""

# The least contrast of texts: https://www.w3.org/TR/WCAG22/#contrast-minimum
AA = 4.5
CONTRASTS = """() => {
  const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const channel = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const front = parse(element.namespaceURI.endsWith("svg") ? style.fill : style.color);
    let ground = element, back = [0, 0, 0, 0];
    while (ground && back[3] === 0) {
      back = parse(getComputedStyle(ground).backgroundColor);
      if (back.length === 3) back.push(1);
      ground = ground.parentElement;
    }
    const [a, b] = [light(front), light(back)].sort((x, y) => y - x);
    found.push([(a + 0.05) / (b + 0.05), walker.currentNode.data.trim().slice(0, 40)]);
  }
  return found.sort((x, y) => x[0] - y[0]);
}"""
OUTSIDE = """(width) => [...document.querySelectorAll("main *, header *, footer *")].filter((element) =>
  element.getBoundingClientRect().right > width + 1 && !element.closest(".scroll, pre, .unseen, svg")
).map((element) => element.outerHTML.slice(0, 100))"""
SHAPE = """() => [...document.querySelectorAll("*")].map((element) =>
  element.tagName + [...element.attributes].map((entry) => entry.name).join())"""


@dataclass
class Viewer:
    """One page of one browser without a network, which opens reports one after the other."""

    page: Page
    folder: Path
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        self.page.on("request", lambda request: self.requests.append(request.url))

    def show(self, text: str, width: int = DESK, scheme: Any = "light") -> Page:
        self.complaints.clear()
        self.requests.clear()
        file = self.folder / "report.html"
        file.write_text(text, encoding="utf-8")
        self.page.set_viewport_size({"width": width, "height": 800})
        self.page.emulate_media(color_scheme=scheme, media="screen", reduced_motion="reduce")
        self.page.goto(file.as_uri())
        return self.page

    @contextmanager
    def opened(self, report: dict[str, Any], width: int = DESK, scheme: Any = "light") -> Iterator[Page]:
        """Shows a report; at the end it may have asked for nothing, and nothing may have complained."""
        page = self.show(render_page(report), width, scheme)
        yield page
        assert self.complaints == []
        assert [url for url in self.requests if not url.startswith("data:")] == [page.url]


@pytest.fixture(scope="module")
def viewer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Viewer]:
    with chromium() as browser, browser.new_context(offline=True) as context:
        yield Viewer(context.new_page(), tmp_path_factory.mktemp("pages"))


def value_of(report: Report, *, examples: bool = True) -> dict[str, Any]:
    return redacted({**report.to_json(), "verification": VERIFICATION}, examples=examples)


@pytest.mark.parametrize("report", [REPORT, STOPPED], ids=["done", "stopped"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out(viewer: Viewer, report: Report, scheme: str) -> None:
    with viewer.opened(value_of(report), scheme=scheme) as page:
        grounds = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
        assert (max(grounds) < 60) == (scheme == "dark")
        contrasts = page.evaluate(CONTRASTS)
        assert len(contrasts) > 100
        assert [entry for entry in contrasts if entry[0] < AA] == []


@pytest.mark.parametrize("width", [320, PHONE, 768])
@pytest.mark.parametrize("report", [REPORT, STOPPED], ids=["done", "stopped"])
def test_nothing_is_wider_than_the_screen(viewer: Viewer, report: Report, width: int) -> None:
    with viewer.opened(value_of(report), width) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(OUTSIDE, width) == []
        if width == PHONE:
            # What is too wide scrolls in a box of its own.
            assert page.evaluate("[...document.querySelectorAll('.scroll')].some((e) => e.scrollWidth > e.clientWidth)")


@pytest.mark.parametrize("text", [*HOSTILE, "\n".join(HOSTILE)], ids=range(len(HOSTILE) + 1))
def test_hostile_names_stay_text(viewer: Viewer, plain: list[str], text: str) -> None:
    with viewer.opened(with_texts(value_of(REPORT), text), PHONE) as page:
        assert page.evaluate(SHAPE) == plain
        assert page.title().endswith("vecferry report")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE
        assert page.evaluate(OUTSIDE, PHONE) == []
        assert page.locator("h2").first.is_visible()


def test_a_hostile_failure_stays_text(viewer: Viewer) -> None:
    plain = shape(viewer, with_texts(value_of(STOPPED), "plain"))
    assert shape(viewer, with_texts(value_of(STOPPED), "\n".join(HOSTILE))) == plain


@pytest.fixture(scope="module")
def plain(viewer: Viewer) -> list[str]:
    return shape(viewer, with_texts(value_of(REPORT), "plain"))


def shape(viewer: Viewer, report: dict[str, Any]) -> list[str]:
    """Every element's name with the names of its attributes."""
    with viewer.opened(report) as page:
        return list(page.evaluate(SHAPE))


def test_a_script_that_got_in_would_not_run(viewer: Viewer) -> None:
    added = (
        "<script>document.title='in'</script><style>h1{display:none}</style>"
        "<img src='https://x.invalid/i' onerror=\"document.title='in'\">"
    )
    page = viewer.show(render_page(value_of(REPORT)).replace("</main>", f"{added}</main>"))
    assert page.title().endswith("vecferry report")
    assert page.locator("h1").is_visible()
    assert all("Content Security Policy" in text for text in viewer.complaints)
    assert len(viewer.complaints) >= 3


def test_who_cannot_see_it_can_read_it(viewer: Viewer) -> None:
    with viewer.opened(value_of(REPORT)) as page:
        words = "of passages_embedding_hnsw by ef_search, 20 to 400"
        assert page.evaluate("[...document.querySelectorAll('svg[role=img]')].map((e) => e.ariaLabel)") == [
            "Source data per second over 1 h 10 min of loading: mean 229.5 MB, peak 259 MB.",
            "Rows per second over 1 h 10 min of loading: mean 11.9k, peak 14.9k.",
            "Histogram of 200 norms from 0.9 to 1.1, mean 1.",
            *[
                f"Recall {words}: at 10 from 0.920 to 0.996, at 100 from 0.550 to 0.978.",
                f"Latency {words}: median from 0.2 to 4 ms.",
            ]
            * 2,
        ]
        silent = (
            "[...document.querySelectorAll('svg:not([role])')].filter((e) => e.getAttribute('aria-hidden') !== 'true')"
        )
        assert page.evaluate(f"{silent}.length") == 0
        for table in page.locator("table").all():
            assert table.locator("caption").inner_text().strip() or table.locator("caption").text_content()
            assert table.locator("thead th[scope=col]").count() > 0
            assert table.locator("tbody tr").count() == table.locator("tbody th[scope=row]").count()
        referred = "[...document.querySelectorAll('[aria-labelledby]')].map((e) => e.getAttribute('aria-labelledby'))"
        ids = page.evaluate("[...document.querySelectorAll('[id]')].map((e) => e.id)")
        assert [name for name, count in Counter(ids).items() if count > 1] == []
        assert set(page.evaluate(referred)) <= set(ids)
        levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3')].map((e) => Number(e.tagName[1]))")
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))


def test_the_keyboard_is_enough(viewer: Viewer) -> None:
    with viewer.opened(value_of(REPORT), PHONE) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        assert page.evaluate("document.activeElement.getBoundingClientRect().top") >= 0
        page.locator(".scroll").first.focus()
        scrolled = "document.querySelector('.scroll').scrollLeft > 0"
        for _ in range(100):
            page.keyboard.press("ArrowRight")
            if page.evaluate(scrolled):
                break
        assert page.evaluate(scrolled)
        page.locator("summary").first.focus()
        page.keyboard.press("Enter")
        assert page.locator("details").first.get_attribute("open") is not None
        page.locator("#step-1").focus()
        page.keyboard.press("Space")
        assert page.locator("#step-1").is_checked()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_paper_is_white_and_shows_all(viewer: Viewer, scheme: str) -> None:
    with viewer.opened(value_of(REPORT), A4, scheme) as page:
        closed = "[...document.querySelectorAll('th')].find((e) => e.textContent === 'archive_9')"
        shown = f"{closed}.checkVisibility({{contentVisibilityAuto: true}})"
        assert not page.evaluate(shown)
        page.emulate_media(media="print")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert page.evaluate(shown)
        assert [entry for entry in page.evaluate(CONTRASTS) if entry[0] < AA] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= A4
        assert page.pdf(format="A4").startswith(b"%PDF")


def test_the_verdict_is_told_by_word_and_form(viewer: Viewer) -> None:
    shown = {}
    for status in ("ok", "differences", "rejected", "nothing to do"):
        report = {**value_of(REPORT), "status": status}
        report["tables"] = [table for table in report["tables"] if table["verified"] == "equal"]
        with viewer.opened(report) as page:
            word = page.locator(".verdict .word").inner_text().strip()
            shown[status] = (word, page.locator("h1").inner_text(), page.locator(".verdict path").get_attribute("d"))
    with viewer.opened(value_of(STOPPED)) as page:
        assert page.locator(".verdict .word").inner_text().strip() == "Stopped"
        assert page.locator("h1").inner_text() == "The run stopped during the step load; what is committed stays."
        assert page.locator(".said").inner_text() == STOPPED.failure.sentence  # type: ignore[union-attr]
        assert page.get_by_text("Exit code 4. Run it again.").is_visible()
        assert "506 of 1,550" in page.locator("#progress ~ .scroll").inner_text()
    assert {status: entry[:2] for status, entry in shown.items()} == {
        "ok": ("Verified", "All 1,237,567 rows of 31 tables arrived, and both sides agree."),
        "differences": ("Differences", "Source and target differ in passages.embedding."),
        "rejected": ("Incomplete", "31 tables and 1,237,567 rows arrived, with 3 rows left out."),
        "nothing to do": (
            "Verified", "All 1,237,567 rows of 31 tables were carried by an earlier run, and both sides agree.",
        ),
    }  # fmt: skip
    assert len({entry[2] for entry in shown.values()}) == 3


def test_tables_that_need_a_look_come_first(viewer: Viewer) -> None:
    with viewer.opened(value_of(REPORT)) as page:
        names = page.locator("#tables ~ .scroll tbody th").all_inner_texts()
        assert names[:3] == ["orders", "passages", "archive_0"]
        assert len(names) == 25
        assert page.locator("summary").first.inner_text() == "8 smaller tables"
