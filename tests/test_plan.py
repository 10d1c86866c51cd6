from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from indexer.manifest import SeedRecord
from indexer.plan import Move, Plan, compare

folders = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from("123"), max_size=6)


def records(folder: dict[str, str]) -> list[SeedRecord]:
    return [SeedRecord(path, content, 1) for path, content in folder.items()]


@given(before=folders, now=folders)
def test_applying_a_plan_to_the_old_folder_gives_the_new_one(
    before: dict[str, str], now: dict[str, str]
) -> None:
    plan = compare(records(before), records(now))
    appeared = {*plan.added, *(move.path for move in plan.moved)}
    assert plan.new == appeared | set(plan.changed)
    assert set(plan.gone) == before.keys() - now.keys()
    assert all(before[move.origin] == now[move.path] for move in plan.moved)
    assert appeared == now.keys() - before.keys()
    assert set(plan.changed) == {p for p in now.keys() & before.keys() if now[p] != before[p]}
    # Every file that went either was removed or has its content in one that moved.
    assert len(plan.removed) + len(plan.moved) == len(before.keys() - now.keys())
    assert set(plan.removed) <= before.keys() - now.keys()


@given(folder=folders)
def test_an_unchanged_folder_needs_nothing(folder: dict[str, str]) -> None:
    assert not compare(records(folder), records(folder))


def test_a_renamed_file_is_moved_and_a_copy_is_added() -> None:
    plan = compare(records({"a": "1"}), records({"b": "1", "c": "1"}))
    assert plan == Plan(added=("c",), changed=(), moved=(Move("a", "b"),), removed=())


def test_files_that_cannot_be_read_are_not_taken_for_each_other() -> None:
    plan = compare(records({"a": ""}), records({"b": ""}))
    assert plan == Plan(added=("b",), changed=(), moved=(), removed=("a",))
