"""What the parts of the fusion are worth, and that it is not fitted to the sets it is measured on.

Each set of ../shared/data/eval is searched once; its candidates are then merged in many ways. For
the figures "left out", the parameters were fitted to all sets but the one that they are measured
on, each set counting the same. Writes benchmarks/results/fusion.md; run with
`python benchmarks/fusion.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import numpy as np

from indexer.embedding import SentenceEmbedder
from indexer.keyword import GRAM_SHARE
from indexer.settings import Settings
from indexer.types import Scores
from service.evaluation import indexed
from service.fitting import of_judged
from service.judgments import read_judged
from service.parameters import Range, current, shares
from service.progress import report_progress
from service.tuning import Found, Pool, Values, climb

ROOT = Path(__file__).resolve().parent.parent
SETS = ROOT.parent / "shared" / "data" / "eval"
WORK = ROOT / "index_data" / "eval"
RESULTS = ROOT / "benchmarks" / "results" / "fusion.md"

FOREIGN = ("xquad-de", "xquad-ru")
VARIATIONS = {
    "k1": (0.6, 1.2),
    "b": (0.4, 0.75),
    "title_weight": (0.25, 0.75),
    "sentence_weight": (0.5, 0.8),
}
GRAMS = (0.0, 0.4, 0.8)
START = current(Settings())
RANGES = {
    "semantic_weight": Range(0.3, 0.7, 8),
    "foreign_weight": Range(0.0, 0.4, 4),
    "lead_weight": Range(0.0, 3.0, 6),
}
"""Coarser than those of `winnow tune`, which need not be fitted so many times."""
SIGNAL = "signal"
"""The weight of a further signal, in points of share for each of its standard deviations."""


@dataclass(frozen=True)
class Set:
    """A set's candidates and, for each of its questions, the signals that were tried."""

    name: str
    pool: Pool
    readable: Scores
    lead: Scores
    tried: dict[str, Scores]

    @classmethod
    def of(cls, name: str, found: Sequence[Found], texts: Sequence[str]) -> Set:
        """Gather what ``found`` shows for the questions ``texts``."""
        each = [tried(*pair) for pair in zip(found, texts, strict=True)]
        return cls(
            name,
            Pool(found),
            np.array([one.signals.readable for one in found]),
            np.array([one.signals.lead for one in found]),
            {signal: np.array([one[signal] for one in each]) for signal in each[0]},
        )

    def mean(self, values: Values, signal: str | None = None) -> float:
        """The mean nDCG@10 with these parameters, and with ``signal`` if one is named."""
        share = shares(values, self.readable, self.lead)
        if signal is not None:
            share = np.clip(share + values[SIGNAL] * self.tried[signal], 0, 1)
        return float(self.pool.ndcg_with(share).mean())


def tried(found: Found, text: str) -> dict[str, float]:
    """Signals of one question that the fusion could go by and does not."""
    words, meaning = np.sort(found.words)[::-1], np.sort(found.meaning)[::-1]
    best_words = set(np.argsort(-found.words, kind="stable")[:10].tolist())
    best_meaning = set(np.argsort(-found.meaning, kind="stable")[:10].tolist())
    typed = text.split()
    return {
        "agreement: shared among both first ten": len(best_words & best_meaning) / 10,
        "coverage: the best score by words": float(words[0]) if len(words) else 0.0,
        "gap by meaning: first over second": (
            float(meaning[0] - meaning[1]) if len(meaning) > 1 else 0.0
        ),
        "length: words, logarithm": float(np.log1p(len(typed))),
        "numbers: whether there is one": float(any(c.isdigit() for c in text)),
        "names: share of words with a capital": (
            sum(word[:1].isupper() for word in typed[1:]) / max(len(typed), 1)
        ),
        "quotation marks: whether there is one": float(any(c in '"“”„«»' for c in text)),
    }


def scaled(sets: Sequence[Set]) -> None:
    """Give every signal a mean of 0 and a deviation of 1 over all questions."""
    for signal in sets[0].tried:
        every = np.concatenate([each.tried[signal] for each in sets])
        for each in sets:
            each.tried[signal] = (each.tried[signal] - every.mean()) / max(every.std(), 1e-9)


def left_out(
    sets: Sequence[Set], ranges: dict[str, Range], start: Values, signal: str | None = None
) -> list[tuple[dict[str, float], float]]:
    """For each set, the values fitted to all others and its mean nDCG@10 with them."""
    known: dict[tuple[float, ...], Scores] = {}

    def means(values: Values) -> Scores:
        key = tuple(values.values())
        if key not in known:
            known[key] = np.array([each.mean(values, signal) for each in sets])
        return known[key]

    found = []
    for i in range(len(sets)):
        others = np.array([j for j in range(len(sets)) if j != i], dtype=np.int64)
        values = climb(means, ranges, start, others)
        found.append((values, float(means(values)[i])))
    return found


def searched(settings: Settings, names: Sequence[str], embedder: SentenceEmbedder) -> list[Set]:
    """The candidates of the sets called ``names``."""
    found = []
    with report_progress() as progress:
        for name in names:
            judged = read_judged(SETS / name)
            with indexed(judged, settings, embedder, progress, WORK) as index:
                pool = of_judged(index, judged, progress)
                found.append(Set.of(name, pool, list(judged.questions.values())))
    return found


def main() -> None:
    """Search, merge in many ways, and write what came of it."""
    names = sorted(path.name for path in SETS.iterdir())
    embedder = SentenceEmbedder()
    sets = searched(Settings(), names, embedder)
    scaled(sets)
    lines = [
        "# What the fusion is made of",
        "",
        "Made by `python benchmarks/fusion.py`. Figures are nDCG@10 of the hybrid search; the mean",
        "counts every set the same. In rows marked *left out*, what is fitted was fitted to all",
        "sets but the one in the column.",
        "",
        "## The share of meaning",
        "",
        *head(names),
        row("words alone", [each.mean(only(0.0)) for each in sets]),
        row("meaning alone, of the same candidates", [each.mean(only(1.0)) for each in sets]),
        row("**the defaults**", [each.mean(START) for each in sets]),
        *fitted(sets),
        "",
        *values_table(sets, names),
        "",
        "## Signals that were tried besides",
        "",
        "Each was added to the share with a weight of its own, fitted with the other parameters to",
        "all sets but the one in the column. None holds more than the three parameters do without.",
        "",
        *head(names),
        *signals(sets),
        "",
        "## Keyword and sentence parameters",
        "",
        "One at a time changed from the defaults. Judgments of rtqa-news-silver were made by",
        "overlap of words, so it was not used to choose.",
        "",
        *head(names),
        row("the defaults, words", [each.mean(only(0.0)) for each in sets]),
        row("**the defaults**", [each.mean(START) for each in sets]),
        *varied(names, embedder),
        "",
        "## Runs of characters",
        "",
        "What they count against stems, in the languages that the model does not read.",
        "",
        *head(FOREIGN),
        *[
            row(
                f"**{GRAM_SHARE:g}**{label}",
                [each.mean(values) for each in sets if each.name in FOREIGN],
            )
            for label, values in ((", words", only(0.0)), ("", START))
        ],
        *grams(embedder),
    ]
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    sys.stdout.write(RESULTS.read_text(encoding="utf-8"))


def only(share: float) -> dict[str, float]:
    """One share for every question."""
    return {"semantic_weight": share, "foreign_weight": share, "lead_weight": 0.0}


def fitted(sets: Sequence[Set]) -> list[str]:
    """The model of the share grown part by part, each fitted to the other sets."""
    one = {"semantic_weight": RANGES["semantic_weight"]}
    same = [Flat(each.name, each.pool, each.readable, each.lead, each.tried) for each in sets]
    language = {**one, "foreign_weight": RANGES["foreign_weight"]}
    still = START | {"lead_weight": 0.0}
    steps: list[tuple[str, Sequence[Set], dict[str, Range], Values]] = [
        ("one share for all, *left out*", same, one, still),
        ("a share for each kind of language, *left out*", sets, language, still),
        ("and the lead of meaning, *left out*", sets, RANGES, START),
    ]
    return [
        row(label, [mean for _, mean in left_out(each, ranges, start)])
        for label, each, ranges, start in steps
    ]


class Flat(Set):
    """A set whose language is not asked for."""

    def mean(self, values: Values, signal: str | None = None) -> float:
        """See :class:`Set`."""
        return super().mean(values | {"foreign_weight": values["semantic_weight"]}, signal)


def values_table(sets: Sequence[Set], names: Sequence[str]) -> list[str]:
    """Which values the parameters got with each set left out."""
    found = left_out(sets, RANGES, START)
    lines = ["Values fitted with each set left out:", "", *head(names, mean=False)]
    for name, default in START.items():
        cells = [f"{values[name]:g}" for values, _ in found]
        lines.append(f"| {name} (default {default:g}) | " + " | ".join(cells) + " |")
    return lines


def signals(sets: Sequence[Set]) -> list[str]:
    """Each further signal, with the parameters fitted anew."""
    lines = [row("none", [mean for _, mean in left_out(sets, RANGES, START)])]
    for signal in sets[0].tried:
        ranges = {**RANGES, SIGNAL: Range(-0.1, 0.1, 4)}
        means = left_out(sets, ranges, {**START, SIGNAL: 0.0}, signal)
        lines.append(row(signal, [mean for _, mean in means]))
    return lines


def varied(names: Sequence[str], embedder: SentenceEmbedder) -> list[str]:
    """The defaults with one setting changed at a time: words alone, then hybrid."""
    lines = []
    for setting, values in VARIATIONS.items():
        for value in values:
            changed = Settings.model_validate({setting: value})
            sets = searched(changed, names, embedder)
            label = f"{setting} {value:g}"
            if setting != "sentence_weight":
                lines.append(row(f"{label}, words", [each.mean(only(0.0)) for each in sets]))
            lines.append(row(label, [each.mean(START) for each in sets]))
    return lines


def grams(embedder: SentenceEmbedder) -> list[str]:
    """Shares of the runs of characters."""
    lines = []
    for share in GRAMS:
        with mock.patch("indexer.keyword.GRAM_SHARE", share):
            sets = searched(Settings(), FOREIGN, embedder)
        lines.append(row(f"{share:g}, words", [each.mean(only(0.0)) for each in sets]))
        lines.append(row(f"{share:g}", [each.mean(START) for each in sets]))
    return lines


def head(names: Sequence[str], *, mean: bool = True) -> list[str]:
    """The head of a table with a column for each set."""
    columns = [*names, "mean"] if mean else [*names]
    return ["| | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]


def row(label: str, means: Sequence[float]) -> str:
    """A row with a figure for each set, and their mean."""
    cells = [f"{mean:.4f}" for mean in (*means, float(np.mean(means)))]
    return f"| {label} | " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
