"""What spelling help gives for questions with a typo, and what it takes from those without.

Into each judged question of some sets of ../shared/data/eval one typo is put, by chance but always
the same: in a word of the collection with four letters or more, two letters are swapped, or one is
dropped, doubled or replaced, so that no paragraph has the result. Writes
benchmarks/results/typos.md; run with `python benchmarks/typos.py [SET ...]`.
"""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import ir_measures
from ir_measures import nDCG
from rebuilds import StandIn

from indexer.analysis import FUNCTION_WORDS, Token, tokens
from indexer.build import build
from indexer.embedding import SentenceEmbedder
from indexer.generations import Generations
from indexer.grammar import parse
from indexer.protocols import Embedder
from indexer.settings import Settings
from indexer.vocabulary import vocabulary
from service.judgments import Judged, read_judged
from service.once import Once
from service.requests import Mode
from service.retrieval import rank
from service.snapshot import Snapshot
from service.spelling import Correction, Speller, corrections

ROOT = Path(__file__).resolve().parent.parent
SETS = ROOT.parent / "shared" / "data" / "eval"
RESULTS = ROOT / "benchmarks" / "results" / "typos.md"
CHOSEN = ("rtqa-news-silver", "xquad-de", "xquad-en", "xquad-ru")
HYBRID = ("xquad-en",)
"""Small enough for the model to read in passing."""

SEED = 7
_ATTEMPTS = 20
_LATIN = "abcdefghijklmnopqrstuvwxyz"
_CYRILLIC = "абвгдежзийклмнопрстуфхцчшщъыьэюя"
_COLUMNS = (
    *("set", "mode", "typos", "mended", "no typo", "typo, no help", "typo, help"),
    *("questions", "corrected untyped", "no help", "help"),
)


def main(names: list[str]) -> None:
    """Measure the sets called ``names``, or those chosen."""
    rows = []
    for name in names or CHOSEN:
        judged = read_judged(SETS / name)
        # Keywords alone need no vectors that mean anything.
        embedder: Embedder = SentenceEmbedder() if name in HYBRID else StandIn()
        with (
            tempfile.TemporaryDirectory() as folder,
            closing(indexed(judged, Path(folder), embedder)) as snapshot,
        ):
            rows.append(measure(judged, snapshot, "keyword"))
            if name in HYBRID:
                rows.append(measure(judged, snapshot, "hybrid"))
    RESULTS.write_text("\n".join(table(rows)) + "\n", encoding="utf-8")
    sys.stdout.write(RESULTS.read_text(encoding="utf-8"))


def indexed(judged: Judged, folder: Path, embedder: Embedder) -> Snapshot:
    """The set's documents, indexed in ``folder``."""
    settings = Settings(seeds=folder / "seeds", index=folder / "index")
    settings.seeds.mkdir()
    shutil.copy(judged.corpus, settings.seeds / "corpus.jsonl")
    report = build(settings, embedder, progress=lambda _stage, _done, _total: None)
    return Snapshot.open(Generations(settings.index), report.generation, settings, embedder)


def measure(judged: Judged, snapshot: Snapshot, mode: Mode) -> list[str]:
    """One line of the table."""
    helpless = replace(snapshot, speller=Once(lambda: Speller(vocabulary([], [], []))))
    asked = judged.questions
    chance = random.Random(SEED)  # noqa: S311 - typos, not secrets
    typed = {id_: typo(chance, text, snapshot) for id_, text in asked.items()}
    wrong = {id_: made[0] for id_, made in typed.items() if made}
    right = {id_: asked[id_] for id_ in wrong}
    mended = sum(
        any(each.likeliest.casefold() == made[1] for each in corrected(snapshot, made[0]))
        for made in typed.values()
        if made
    )
    untyped = sum(bool(corrected(snapshot, text)) for text in asked.values())
    return [
        *(judged.name, mode, str(len(wrong)), f"{mended / len(wrong):.1%}"),
        ndcg(judged, helpless, right, mode),
        ndcg(judged, helpless, wrong, mode),
        ndcg(judged, snapshot, wrong, mode),
        *(str(len(asked)), f"{untyped / len(asked):.1%}"),
        ndcg(judged, helpless, asked, mode),
        ndcg(judged, snapshot, asked, mode),
    ]


def typo(chance: random.Random, text: str, snapshot: Snapshot) -> tuple[str, str] | None:
    """The text with a typo and the form of the word that has it; None where no word will do."""
    words = [
        token
        for token in tokens(text)
        if len(token.form) >= 4
        and token.form.isalpha()
        and token.form not in FUNCTION_WORDS
        and snapshot.keyword.has_word(token.form)
    ]
    for _ in range(_ATTEMPTS if words else 0):
        token = chance.choice(words)
        slip = slipped(chance, token)
        if slip != token.form and len(slip) >= 4 and not snapshot.keyword.has_word(slip):
            return text[: token.start] + slip + text[token.end :], token.form
    return None


def slipped(chance: random.Random, token: Token) -> str:
    """The word with two letters swapped, or one dropped, doubled or replaced."""
    word, place = token.form, chance.randrange(len(token.form) - 1)
    letter = chance.choice(_LATIN if word.isascii() else _CYRILLIC)
    head, tail = word[:place], word[place + 1 :]
    return chance.choice(
        [
            head + tail[0] + word[place] + tail[1:],
            head + tail,
            head + word[place] * 2 + tail,
            head + letter + tail,
        ]
    )


def corrected(snapshot: Snapshot, text: str) -> tuple[Correction, ...]:
    """What is corrected in ``text``."""
    return corrections(parse(text), snapshot.keyword.has_word, snapshot.speller().nearest)


def ndcg(judged: Judged, snapshot: Snapshot, questions: Mapping[str, str], mode: Mode) -> str:
    """nDCG@10, a document scoring as its best paragraph."""
    run: dict[str, dict[str, float]] = {}
    for id_, text in questions.items():
        ranked = rank(snapshot, Settings(), text, mode).ranked
        passages = snapshot.store.passages([each.paragraph for each in ranked])
        sources = (passage.article.source.partition("#")[2] for passage in passages)
        run[id_] = {name: -float(place) for place, name in enumerate(dict.fromkeys(sources))}
    qrels = {id_: judged.qrels[id_] for id_ in questions}
    return f"{ir_measures.calc_aggregate([nDCG @ 10], qrels, run)[nDCG @ 10]:.4f}"


def table(rows: list[list[str]]) -> list[str]:
    """The rows in Markdown."""
    return [
        "# Typos",
        "",
        "Made by `python benchmarks/typos.py`: nDCG@10 of questions into which one typo was put,",
        "as they were without it, with it and no help, and with it and help; `mended` is how many",
        "typos the first correction took back to the very word. Then the questions as they are:",
        "how many have a word corrected because the collection lacks it, and nDCG@10 of all",
        "without and with help.",
        "",
        "| " + " | ".join(_COLUMNS) + " |",
        "|" + "---|" * len(_COLUMNS),
        *("| " + " | ".join(row) + " |" for row in rows),
    ]


if __name__ == "__main__":
    main(sys.argv[1:])
