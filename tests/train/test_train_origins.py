from __future__ import annotations

import pytest

from rtdehaze.core.errors import ModelError
from rtdehaze.train.origins import MADE_HERE, UNKNOWN, Origin, as_table, licence_of, merged, parse_origins, summary_of


@pytest.mark.parametrize(
    ("terms", "is_open"),
    [
        ("MIT (somebody/something)", True),
        ("CC BY 4.0 (somewhere)", True),
        ("CC-BY-SA-4.0", True),
        ("CC0", True),
        ("Apache-2.0", True),
        (MADE_HERE, True),
        ("CC BY-NC-SA 3.0 (KITTI)", False),
        ("CC BY 4.0, non-commercial use only", False),
        ("non-commercial research/education (Berkeley)", False),
        ("none stated (photos)", False),
        ("permitted somewhere", False),
        (UNKNOWN, False),
        ("", False),
    ],
)
def test_terms_count_as_open_only_where_they_say_so(terms: str, is_open: bool) -> None:
    assert Origin("a", terms, 1).is_open is is_open


def test_one_closed_source_makes_the_model_one_for_research() -> None:
    mixed = [Origin("boxes", "MIT", 3), Origin("roads", "research use", 2)]
    assert licence_of(mixed) == "research and evaluation only: the terms of roads allow no more"
    assert licence_of(mixed[:1]).startswith("commercial use allowed")
    assert licence_of([]).startswith("unknown")
    assert summary_of(mixed).startswith("5 clear pictures, haze made on the fly: boxes, 3 (MIT); roads, 2 (research")


def test_a_run_that_starts_from_another_keeps_its_origins() -> None:
    first, second = [Origin("boxes", "MIT", 3)], [Origin("boxes", "MIT", 5), Origin("roads", "CC0", 2)]
    assert merged(first, second) == (Origin("boxes", "MIT", 5), Origin("roads", "CC0", 2))


def test_lots_of_one_kind_in_one_run_are_added_up() -> None:
    lots = [Origin("generated", MADE_HERE, 5), Origin("generated", MADE_HERE, 7)]
    assert merged(lots, lots[:1]) == (Origin("generated", MADE_HERE, 12),)


def test_origins_are_read_as_they_were_written() -> None:
    origins = (Origin("boxes", "MIT", 3),)
    assert parse_origins(as_table(origins), "x") == origins
    for broken in (3, [1], [{"source": "a"}], [{"source": "a", "terms": "b", "pictures": "many"}]):
        with pytest.raises(ModelError, match="checkpoint x does not tell its data"):
            parse_origins(broken, "x")
