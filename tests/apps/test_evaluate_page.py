from __future__ import annotations

import base64
from html.parser import HTMLParser

import cv2
import numpy as np

from rtdehaze.apps.evaluate.domains import Domain, Kind
from rtdehaze.apps.evaluate.gallery import Gallery
from rtdehaze.apps.evaluate.page import page
from rtdehaze.apps.evaluate.results import DomainResult, Evaluation, Item, Measure

VOID = {"meta", "img"}


class Reader(HTMLParser):
    """Notes every address, picture and text, and that each element is closed where it should be."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.text = ""
        self.best: list[str] = []
        self._in_best = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.addresses += [value or "" for key, value in attrs if key in ("src", "href")]
        self._in_best = tag == "td" and known.get("class") == "best"
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._in_best:
            self.best.append(data)


def domain(name: str, kind: Kind = Kind.PAIRS) -> DomainResult:
    measures = (
        Measure("psnr", "PSNR", "more is nearer", 1, "dB", "up"),
        Measure("error", "error", "less is nearer", 2, "", "down"),
        Measure("unknown", "unknown", "of nobody", 2, "", "up"),
    )
    means = {
        "untouched": {"psnr": 30.0},
        "a<b>": {"psnr": 20.0, "error": 0.1},
        "c": {"psnr": 19.0, "error": float("nan")},
    }
    gallery = Gallery(1)
    for number in range(3):
        picture = np.full((600, 800, 3), 60 * number, np.uint8)
        gallery.offer(
            f"<i>{number}", {"a<b>": number}, lambda shown=picture: [("hazy & grey", shown), ("truth", shown)]
        )
    return DomainResult(
        Domain(name, kind, "folder"),
        measures,
        "psnr",
        ("untouched", "a<b>", "c"),
        [Item(f"p{number}", {}) for number in range(3)],
        means,
        skipped=["x.png is <no> picture"],
        scenes=gallery.scenes(),
    )


def read(*domains: DomainResult) -> Reader:
    models = {"a<b>": {"model": "a<b>", "provider": "cpu", "summary": "first"}}
    models["c"] = {"model": "c.onnx", "provider": "cpu", "summary": "second"}
    reader = Reader()
    reader.feed(page(Evaluation(models, {}, list(domains))))
    reader.close()
    return reader


def test_the_page_loads_nothing_and_every_element_is_closed() -> None:
    reader = read(domain("outdoor"))
    assert reader.open == []
    assert reader.addresses
    assert all(address.startswith("data:image/jpeg;base64,") for address in reader.addresses)


def test_names_from_outside_are_shown_as_they_are_and_never_become_markup() -> None:
    text = read(domain("out<script>door")).text
    for name in ("out<script>door", "a<b>", "<i>0", "hazy & grey", "x.png is <no> picture"):
        assert name in text


def test_the_best_model_of_each_line_is_marked_but_never_the_untouched() -> None:
    assert read(domain("outdoor")).best == ["20.0", "0.10"]


def test_a_measure_that_nobody_has_takes_no_line_and_several_domains_share_a_table() -> None:
    assert "unknown" not in read(domain("outdoor")).text
    assert "All domains" not in read(domain("outdoor")).text
    assert "All domains" in read(domain("outdoor"), domain("indoor")).text


def test_pictures_are_shrunk_to_what_a_phone_needs() -> None:
    data = read(domain("outdoor")).addresses[0].split(",", 1)[1]
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (360, 480, 3)


def test_the_gallery_keeps_the_best_and_the_worst_of_each_model_and_draws_no_others() -> None:
    drawn: list[str] = []
    gallery = Gallery(1)

    def draw(name: str) -> list[tuple[str, np.ndarray]]:
        drawn.append(name)
        return [(name, np.zeros((4, 4, 3), np.uint8))]

    scores = {
        "a": {"m": 5.0, "n": 1.0},
        "b": {"m": 1.0, "n": 2.0},
        "c": {"m": 3.0, "n": 1.5},
        "d": {"m": 9.0, "n": 9.0},
    }
    for name, both in scores.items():
        gallery.offer(name, both, lambda name=name: draw(name))
    assert {scene.name: scene.why for scene in gallery.scenes()} == {
        "a": "worst of n",
        "b": "worst of m",
        "d": "best of m, best of n",
    }
    assert "c" not in drawn


def test_a_gallery_for_nobody_keeps_nothing() -> None:
    gallery = Gallery(0)
    gallery.offer("a", {"m": 1.0}, lambda: [("a", np.zeros((4, 4, 3), np.uint8))])
    assert gallery.scenes() == []
