"""Fits the weights of the circumstances by which reports of somebody's words are told.

They are learnt from the train part of ../shared/data/attribution (PolNeAR); dev is left for
judging. A possible report is right if its speaker and either its content or its cue overlap with
one that was marked by hand. Wrong ones weigh little where something else is marked in the sentence:
they do not make a speaker of nobody. A first logistic regression on all circumstances that are not
seldom chooses those that tell most, a second one weighs them. Writes indexer/circumstances.txt, and
benchmarks/results/circumstances.md: how well each penalty does on articles held out, and what each
threshold finds there. Run with `PYTHONPATH=. python benchmarks/circumstances.py`; what it was worth
on dev is then told by `python benchmarks/speakers.py`.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GroupKFold
from speakers import Case, read, shared, tallied

from indexer.quotations import overlap
from indexer.sayings import Saying
from indexer.sentences import sentence_at
from indexer.speakers import Reports, reported

WEIGHTS = Path(__file__).resolve().parent.parent / "indexer" / "circumstances.txt"

RESULTS = Path(__file__).resolve().parent / "results" / "circumstances.md"

HEAD = """\
# How much each circumstance speaks for a report of what somebody says, thinks or wants, or against
# it, in log-odds; a `table` is the factor of the word's own odds in that use, from cues.txt.
# See indexer/circumstances.py. Made by `python benchmarks/circumstances.py`.
"""

MADE = """# Circumstances of reports

Made by `PYTHONPATH=. python benchmarks/circumstances.py` on the train part of PolNeAR. All that
follows is of articles that the weights were not fitted to, in three parts; the words' own odds in
cues.txt come from the same articles, so dev, in speakers.md, is what counts."""

SEEN = 200
"""Possible reports that a circumstance must be seen in to have a weight."""

MOST = 190
"""Circumstances that are kept: with all that are not seldom no more is found."""

ELSEWHERE = 0.1
"""What a wrong report weighs in a sentence in which something is marked."""

ALWAYS = ("table ", "use ")
"""How the names begin of what is kept however little it tells."""

PENALTIES = (0.05, 0.3, 2.0)
"""Inverses of the L2 penalty; the best on articles held out is taken."""

THRESHOLDS = (0.0, 0.1, 0.2, 0.3)

FOLDS = 3

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Example:
    """A paragraph of an article of that number, with what may be reported in it."""

    article: int
    case: Case
    reports: Reports


@dataclass(frozen=True, slots=True)
class Rows:
    """All possible reports in order: whose article, what tells of them, what is marked."""

    articles: npt.NDArray[np.int64]
    signs: tuple[Mapping[str, float], ...]
    right: npt.NDArray[np.bool_]
    importance: Numbers


def main() -> None:
    """Choose and fit the weights, say how well they do on articles held out, and write them."""
    examples = list(read_examples())
    rows = rows_of(examples)
    names = chosen(rows)
    values = matrix(rows, names)
    odds = {each: held_out(values, rows, each) for each in PENALTIES}
    losses = {
        each: log_loss(rows.right, expit(those), sample_weight=rows.importance)
        for each, those in odds.items()
    }
    best = min(losses, key=losses.__getitem__)
    weights = fitted(values, rows.right, rows.importance, best)
    lines = (f"{weight:+.2f} {name}" for name, weight in zip(names, weights, strict=True))
    WEIGHTS.write_text(HEAD + "\n".join((*lines, "")), "utf-8")
    text = "\n".join((MADE, "", *report(examples, losses, odds[best]), ""))
    RESULTS.write_text(text, "utf-8")
    sys.stdout.write(text)


def read_examples() -> Iterator[Example]:
    """All paragraphs of the train part."""
    for number, cases in enumerate(read("train", 1)):
        found = reported([each.paragraph for each in cases])
        for case, reports in zip(cases, found, strict=True):
            nothing = Reports(case.paragraph.text, (), case.paragraph.sentences, ())
            yield Example(number, case, reports or nothing)


def rows_of(examples: Sequence[Example]) -> Rows:
    """Their possible reports, but for layouts, which are too seldom to weigh."""
    found = [(each, one) for each in examples for one in each.reports.found if one.signs]
    right = np.array([is_marked(saying, each.case) for each, saying in found])
    free = np.array([is_free(saying, each) for each, saying in found])
    return Rows(
        np.array([each.article for each, _ in found]),
        tuple(saying.signs for _, saying in found),
        right,
        np.where(right | free, 1.0, ELSEWHERE),
    )


def is_marked(saying: Saying, case: Case) -> bool:
    """Whether somebody marked this report."""
    return any(
        overlap(saying.speaker, marked.speaker)
        and (shared(saying.content, marked.content) or overlap(saying.cue, marked.cue))
        for marked in case.marked
    )


def is_free(saying: Saying, example: Example) -> bool:
    """Whether nothing is marked in the sentence of a possible report."""
    sentences = example.reports.sentences
    sentence = sentences[sentence_at(sentences, saying.cue.start)]
    return not shared(example.case.touched, (sentence,))


def chosen(rows: Rows) -> list[str]:
    """The names of the circumstances that tell most, in order."""
    counts = Counter(name for signs in rows.signs for name in signs)
    names = sorted(
        name for name, count in counts.items() if count >= SEEN or name.startswith(ALWAYS)
    )
    values = matrix(rows, names)
    weights = fitted(values, rows.right, rows.importance, min(PENALTIES))
    mean = np.asarray(values.mean(axis=0)).ravel()
    spread = np.sqrt(np.asarray(values.multiply(values).mean(axis=0)).ravel() - mean**2)
    tells = dict(zip(names, np.abs(weights) * spread, strict=True))
    ranked = sorted(names, key=lambda name: (not name.startswith(ALWAYS), -tells[name]))
    return sorted(ranked[:MOST])


def matrix(rows: Rows, names: Sequence[str]) -> csr_matrix:
    """A row for each possible report and a column for each name."""
    places = {name: place for place, name in enumerate(names)}
    cells = [
        [(places[name], value) for name, value in signs.items() if name in places]
        for signs in rows.signs
    ]
    columns, values = zip(*(cell for row in cells for cell in row), strict=True)
    ends = np.cumsum([0, *map(len, cells)])
    return csr_matrix((values, columns, ends), (len(cells), len(names)))


def fitted(
    values: csr_matrix, right: npt.NDArray[np.bool_], importance: Numbers, penalty: float
) -> Numbers:
    """The weights; there is no bias, as every possible report has a use."""
    regression = LogisticRegression(C=penalty, fit_intercept=False, max_iter=1000)
    weights: Numbers = regression.fit(values, right, sample_weight=importance).coef_[0]
    return weights


def held_out(values: csr_matrix, rows: Rows, penalty: float) -> Numbers:
    """The log-odds of each by a fit to other articles."""
    odds = np.zeros(len(rows.right))
    for others, own in GroupKFold(FOLDS).split(odds, groups=rows.articles):
        odds[own] = values[own] @ fitted(
            values[others], rows.right[others], rows.importance[others], penalty
        )
    return odds


def report(
    examples: Sequence[Example], losses: Mapping[float, float], odds: Numbers
) -> Iterator[str]:
    """What each penalty and each threshold does on articles held out, in Markdown."""
    yield f"{len(odds)} possible reports in {len(examples)} paragraphs."
    yield from ("", "| inverse of the penalty | log loss |", "|---|---|")
    yield from (f"| {penalty} | {loss:.4f} |" for penalty, loss in losses.items())
    yield from ("", "| threshold | content: found | exact | false: touched |", "|---|---|---|---|")
    left = iter(odds.tolist())
    weighed = [
        replace(
            each.reports,
            found=tuple(
                replace(one, odds=next(left)) if one.signs else one for one in each.reports.found
            ),
        )
        for each in examples
    ]
    cases = [each.case for each in examples]
    for threshold in THRESHOLDS:
        tally = tallied(cases, weighed, threshold)
        shares = (
            tally.share("all content found", "all content"),
            tally.share("all content exact", "all content"),
            tally.share("touched", "free"),
        )
        yield f"| {threshold} | " + " | ".join(shares) + " |"


if __name__ == "__main__":
    main()
