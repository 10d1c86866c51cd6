from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

from indexer.embedding import packaged_folder, read_tokenizer
from service.network import Network, Scores
from training.batches import Batch, Source, drawn
from training.curve import draw
from training.examples import Example, Examples, parted, read_examples
from training.export import export
from training.loop import Trainer, loss_of, rate_at
from training.negatives import hard_negatives
from training.recipe import Recipe, Stage
from training.scoring import reading

PLACES = ("Baku", "Tbilisi", "Yerevan", "Ankara", "Brussels", "Vienna", "Geneva", "Oslo")
STAGES = tuple(
    Stage(
        name=name,
        shares={"talks": 1.0},
        rounds=rounds,
        falls=falls,
        room=48,
        batch=4,
        rate=3e-4,
        negatives=negatives,
        compared=negatives > 0,
        warm=0.1,
    )
    for name, rounds, falls, negatives in (
        ("first", 1, (), 0.0),
        ("second", 2, ((1, 0.5), (2, 1)), 0.5),
    )
)
FALLING = replace(STAGES[0], falls=((1, 0.5),))
RECIPE = Recipe(stages=STAGES, kept_every=3, logged_every=5, average=0.5)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def talks(tmp_path_factory: pytest.TempPathFactory) -> Examples:
    folder = tmp_path_factory.mktemp("reader")
    with gzip.open(folder / "talks.jsonl.gz", "wt", encoding="utf-8") as file:
        for number, place in enumerate(PLACES):
            context = f"Round {number} of the talks was held in {place}, and it was long."
            asked = {
                f"Where was round {number} held?": place,
                f"Which round was in {place}?": f"Round {number}",
            }
            for question, answer in asked.items():
                at = {"text": answer, "answer_start": context.index(answer)}
                row = {"id": question, "question": question, "context": context, "answers": [at]}
                file.write(json.dumps(row) + "\n")
    return read_examples(folder, "talks", read_tokenizer(packaged_folder()))


def source(talks: Examples) -> Source:
    asked = list(talks.examples)
    return Source(talks, asked, hard_negatives(talks, asked), 1.0)


def network() -> Network:
    torch.manual_seed(1)
    made = Network()
    made.start_from(packaged_folder() / "model.safetensors")
    return made


def nothing(_: Network) -> dict[str, float]:
    return {"talks F1": 0.0}


def test_training_learns_where_the_answers_are(talks: Examples, tmp_path: Path) -> None:
    before = reading(network(), talks.contexts, talks.examples)["F1"]
    stages = (*(STAGES[0],) * 5, replace(STAGES[0], rounds=0, falls=((0, 1),)))
    trainer = Trainer(network(), Recipe(stages=stages, average=0.2), tmp_path)
    trainer.train([[source(talks)]] * 6, nothing)
    after = reading(trainer.average, talks.contexts, talks.examples)["F1"]
    assert before < 60
    assert after > 90


@pytest.mark.parametrize("stopped_after", [2, 4])
def test_a_training_that_was_stopped_comes_to_the_same_weights_bit_for_bit(
    talks: Examples, tmp_path: Path, stopped_after: int
) -> None:
    class Stopped(Exception):
        pass

    logged = 0

    def stop(_: Network) -> dict[str, float]:
        nonlocal logged
        logged += 1
        if logged == stopped_after:
            raise Stopped
        return {}

    sources = [[source(talks)], [source(talks)]]
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    whole.mkdir()
    parts.mkdir()
    through = Trainer(network(), RECIPE, whole)
    through.train(sources, nothing)
    with pytest.raises(Stopped):
        Trainer(network(), RECIPE, parts).train(sources, stop)
    resumed = Trainer(network(), RECIPE, parts)
    resumed.train(sources, nothing)
    expected = through.average.state_dict()
    for name, value in resumed.average.state_dict().items():
        assert torch.equal(value, expected[name]), name


def test_a_training_that_is_done_is_not_done_again(talks: Examples, tmp_path: Path) -> None:
    recipe = Recipe(stages=(FALLING,))
    Trainer(network(), recipe, tmp_path).train([[source(talks)]], nothing)
    written = (tmp_path / "log.jsonl").read_text()
    again = Trainer(network(), recipe, tmp_path)
    again.train([[source(talks)]], nothing)
    assert (tmp_path / "log.jsonl").read_text() == written


def test_a_branch_changes_nothing_of_the_trunk_and_its_end_is_part_of_the_mean(
    talks: Examples, tmp_path: Path
) -> None:
    def trained(recipe: Recipe, folder: str) -> tuple[Trainer, dict[str, torch.Tensor]]:
        (tmp_path / folder).mkdir()
        trainer = Trainer(network(), recipe, tmp_path / folder)
        trainer.train([[source(talks)]], nothing)
        return trainer, trainer.average.trained()

    def recipe(*falls: tuple[float, float]) -> Recipe:
        return Recipe(stages=(replace(STAGES[0], falls=falls),), average=0.5)

    early, later, both = (1.0, 0.5), (2.0, 0.5), ((1.0, 0.5), (2.0, 0.5))
    (one, first), (other, second) = trained(recipe(early), "one"), trained(recipe(later), "other")
    whole, mean = trained(recipe(*both), "both")
    for name, value in whole.network.trained().items():
        assert torch.equal(value, other.network.trained()[name]), name
    assert any(
        not torch.equal(v, one.network.trained()[n]) for n, v in other.network.trained().items()
    )
    for name, value in mean.items():
        torch.testing.assert_close(value, (first[name] + second[name]) / 2)


def test_the_rate_rises_stays_and_falls_on_branches_alone() -> None:
    stage = replace(STAGES[0], rounds=3, falls=((1, 0.5), (2, 1)))
    legs = list(Recipe(stages=(stage,)).legs())
    assert [(leg.begin, leg.end, leg.falling) for leg in legs] == [
        (0, 1, False),
        (1, 1.5, True),
        (1, 2, False),
        (2, 3, True),
        (2, 3, False),
    ]
    assert [rate_at(stage, legs[0], at) for at in (0, 0.5, 1)] == [0.025, 1, 1]
    assert [rate_at(stage, legs[1], at) for at in (1, 1.25, 1.5)] == [1, 0.5, 0]


def test_a_recipe_without_a_branch_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no stage of the recipe has a fall"):
        Trainer(network(), Recipe(stages=STAGES[:1]), tmp_path).train([[]], nothing)


def test_the_embeddings_stay_the_base_models(talks: Examples, tmp_path: Path) -> None:
    trainer = Trainer(network(), Recipe(stages=(FALLING,)), tmp_path)
    trainer.train([[source(talks)]], nothing)
    base = network().state_dict()
    changed = {n for n, v in trainer.network.state_dict().items() if not torch.equal(v, base[n])}
    assert changed
    assert not [name for name in changed if name.startswith("embeddings.")]


def equal(one: Batch, other: Batch) -> bool:
    return torch.equal(one.tokens, other.tokens) and torch.equal(one.first, other.first)


def test_a_round_is_the_same_for_the_same_seed_alone(talks: Examples) -> None:
    def batches(seed: int) -> Sequence[Batch]:
        return list(drawn([source(talks)], STAGES[1], seed))

    assert all(map(equal, batches(1), batches(1)))
    assert not all(map(equal, batches(1), batches(2)))


@settings(max_examples=25, deadline=None)
@given(st.integers(12, 60), st.integers(0, 2**32 - 1))
def test_a_pair_holds_its_answer_whatever_room_there_is(
    talks: Examples, room: int, seed: int
) -> None:
    stage = Stage("any", {}, 1, (), room, 4, 1e-4, 1.0, compared=True, warm=0.1)
    answers = {tuple(span_tokens(talks, example)) for example in talks.examples}
    shown, empty = set(), 0
    for batch in drawn([source(talks)], stage, seed):
        assert batch.there.sum(1).max() <= max(room, 15)
        for row, first, last in zip(batch.tokens, batch.first, batch.last, strict=True):
            if first == 0:
                assert last == 0
                empty += 1
            else:
                shown.add(tuple(row[first : last + 1].tolist()))
    assert shown == answers
    assert empty


def span_tokens(talks: Examples, example: Example) -> list[int]:
    first, last = example.spans[0]
    tokens: list[int] = talks.contexts[example.context].tokens[first : last + 1].tolist()
    return tokens


def test_an_answer_is_compared_with_the_passage_that_does_not_answer(talks: Examples) -> None:
    for batch in drawn([source(talks)], STAGES[1], 3):
        for number in set(batch.asked.tolist()):
            answered = (batch.first[batch.asked == number] > 0).tolist()
            assert answered in ([True], [True, False])


def test_the_loss_of_a_comparison_falls_as_the_answer_stands_out() -> None:
    class Told(Network):
        def __init__(self, scores: Scores) -> None:
            super().__init__()
            self.scores = scores

        def forward(self, *_: object) -> Scores:
            return self.scores

    def loss(other: float, *, compared: bool) -> float:
        ends = torch.tensor([[0.0, 0.0, 4.0, 0.0], [9.0, 0.0, other, float("-inf")]])
        tokens = torch.zeros((2, 4), dtype=torch.long)
        at = torch.tensor([2, 0])
        batch = Batch(tokens, tokens, tokens > 0, at, at, asked=torch.tensor([0, 0]))
        told = Told(Scores(ends, ends, torch.zeros(2)))
        return loss_of(told, batch, "cpu", compared=compared).item()

    assert loss(5.0, compared=True) > loss(3.0, compared=True) > loss(-3.0, compared=True)
    apart = loss(5.0, compared=True) - loss(-3.0, compared=True)
    assert apart > 10 * (loss(5.0, compared=False) - loss(-3.0, compared=False))


def test_hard_negatives_share_words_but_hold_no_answer(talks: Examples) -> None:
    asked = list(talks.examples)
    for example, numbers in zip(asked, hard_negatives(talks, asked), strict=True):
        assert numbers
        assert example.context not in numbers
        for number in numbers:
            assert not any(each in talks.contexts[number].text for each in example.answers)


def test_no_context_is_both_trained_on_and_held_out(talks: Examples) -> None:
    kept, out = parted(talks, every=3)
    assert len(kept) + len(out) == len(talks.examples)
    assert {each.context for each in kept}.isdisjoint(each.context for each in out)
    assert kept
    assert out


def test_exported_weights_are_the_networks_in_half_precision(tmp_path: Path) -> None:
    made = network()
    export(made, tmp_path / "reader.safetensors")
    again = Network()
    again.load_trained(load_file(tmp_path / "reader.safetensors"))
    for name, value in made.trained().items():
        assert torch.equal(again.trained()[name], value.half().float()), name


def test_the_learning_curve_is_the_same_picture_for_the_same_log(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    way = [("one", False), ("one", False), ("two", False), ("two", True), ("mean", False)]
    lines = [
        {"stage": stage, "falling": falling, "seen": 10 * n, "seconds": n, "loss": 1.0, "a F1": 5.0}
        for n, (stage, falling) in enumerate(way)
    ]
    log.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    pictures = [tmp_path / "1.svg", tmp_path / "2.svg"]
    for picture in pictures:
        draw(log, picture)
    first, second = (picture.read_bytes() for picture in pictures)
    assert first == second
    assert b"two" in first


def test_contexts_and_answers_keep_their_offsets(talks: Examples) -> None:
    for example in talks.examples:
        context = talks.contexts[example.context]
        first, last = example.spans[0]
        start, end = int(context.offsets[first, 0]), int(context.offsets[last, 1])
        assert context.text[start:end] == example.answers[0]
        assert np.all(context.offsets[:, 0] < context.offsets[:, 1])
