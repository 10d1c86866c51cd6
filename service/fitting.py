"""Candidates of judged questions, searched once to be weighed many times.

The questions are those that the user has saved, over the live index, or those of judged sets, each
over an index of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from indexer.build import Progress
from indexer.errors import ModelError
from indexer.settings import Settings
from service.evaluation import Indexed, in_order
from service.judgments import Judged
from service.questions import SavedQuestion, holds
from service.retrieval import rank
from service.snapshot import Snapshot
from service.trust import Signals
from service.tuning import Found

_NONE = Signals(readable=1.0, lead=0.0)
"""Of a question that one side answers, whose ranking no weight changes."""


@dataclass(frozen=True, slots=True)
class Search:
    """Finds the candidates of questions in one index, by both sides."""

    snapshot: Snapshot
    settings: Settings

    def find(self, text: str, grades: Mapping[str, int], *, numbered: bool) -> Found:
        """The candidates of ``text``.

        ``grades`` has documents by their ids where the collection is a ``numbered`` bulk file, else
        by their sources.

        Raises:
            ModelError: There is no model, so there is nothing to weigh words against.
        """
        if self.snapshot.without_meaning:
            raise ModelError(
                f"weights cannot be fitted: {self.snapshot.without_meaning}",
                hint="Bring the model back, or run: winnow build",
            )
        ranking = rank(self.snapshot, self.settings, text)
        found = in_order(ranking.ranked)
        scales = [
            {part.source: part.normalised for part in each.contributions} for each in found.values()
        ]
        passages = self.snapshot.store.passages(list(found))
        sources = [passage.article.source for passage in passages]
        # A query of conditions alone is answered by one side, and the other is nothing to it.
        words = [scale.get("keyword", scale.get("semantic", 0.0)) for scale in scales]
        meaning = [scale.get("semantic", scale.get("keyword", 0.0)) for scale in scales]
        return Found(
            words=np.array(words),
            meaning=np.array(meaning),
            keys=np.array([each.paragraph for each in found.values()], dtype=np.int64),
            documents=[each.partition("#")[2] for each in sources] if numbered else sources,
            grades=grades,
            signals=ranking.weighting.signals if ranking.weighting else _NONE,
        )


def of_saved(
    snapshot: Snapshot, settings: Settings, saved: Sequence[SavedQuestion], progress: Progress
) -> list[Found]:
    """The candidates of each saved question whose article is still indexed."""
    search = Search(snapshot, settings)
    found = []
    for done, each in enumerate(saved):
        progress("saved questions", done, len(saved))
        if holds(snapshot, each.source):
            found.append(search.find(each.question, {each.source: 1}, numbered=False))
    progress("saved questions", 1, 1)
    return found


def of_judged(index: Indexed, judged: Judged, progress: Progress) -> list[Found]:
    """The candidates of each question of a set."""
    search = Search(index.snapshot, index.settings)
    found = []
    for done, (id_, text) in enumerate(judged.questions.items()):
        progress(judged.name, done, len(judged.questions))
        found.append(search.find(text, judged.qrels[id_], numbered=True))
    progress(judged.name, 1, 1)
    return found
