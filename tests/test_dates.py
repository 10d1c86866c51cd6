from __future__ import annotations

import pytest

from indexer.dates import date_in_name, timestamp


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2025-07-03", "2025-07-03"),
        ("2025-07-03 05:32", "2025-07-03T05:32:00"),
        (" 2025-07-03T05:32:07 ", "2025-07-03T05:32:07"),
        ("2025-07-03T05:32:07.5", "2025-07-03T05:32:07.500000"),
        ("2025-07-03T05:32:00Z", "2025-07-03T05:32:00+00:00"),
        ("2025-07-03 05:32 +0430", "2025-07-03T05:32:00+04:30"),
        ("2025-07-03T05:32-05:00", "2025-07-03T05:32:00-05:00"),
    ],
)
def test_a_timestamp_stays_as_precise_as_it_is_written(value: str, expected: str) -> None:
    assert timestamp(value) == expected


@pytest.mark.parametrize(
    "value",
    ["", "yesterday", "03.07.2025", "2025-7-3", "2025-02-30", "2025-07-03 25:00", "2025-07-03x"],
)
def test_what_is_not_clearly_a_date_is_none(value: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        timestamp(value)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("2025-08-08-talks.txt", "2025-08-08"),
        ("20250808_talks.txt", "2025-08-08"),
        ("reuters_2025_08_08.txt", "2025-08-08"),
        ("2025-13-08-then-2025-08-08.txt", "2025-08-08"),
        ("2025-02-30.txt", None),
        ("2025-08_08.txt", None),
        ("120250808.txt", None),
        ("202508081.txt", None),
        ("99990101.txt", None),
        ("000_6d57407f6c4ba910.txt", None),
        ("talks.txt", None),
    ],
)
def test_a_date_in_a_name_is_a_real_one_between_other_characters(
    name: str, expected: str | None
) -> None:
    assert date_in_name(name) == expected
