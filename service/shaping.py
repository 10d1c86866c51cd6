"""From a ranking and its evidence to the shapes that users see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from indexer.leaves import describe
from indexer.settings import Settings
from indexer.types import Attribution, Span
from service.answers import AnswerShape
from service.assembly import Answer
from service.copies import also_in
from service.ranked import Ranked
from service.reading import Evidence, Reading, content_words, sentence_features
from service.results import (
    ArticleShape,
    AttributionShape,
    ContributionShape,
    CopyShape,
    Explanation,
    HitShape,
    ParagraphShape,
    WeightingShape,
)
from service.retrieval import Ranking
from service.snapshot import Snapshot
from service.speakers import of_answer, of_sentence
from service.spelling import taken_for


def hits_of(
    snapshot: Snapshot, ranking: Ranking, evidence: Sequence[Evidence], ranked: Sequence[Ranked]
) -> list[HitShape]:
    """The shapes of the ``ranked`` paragraphs, each with the evidence gathered of it."""
    asked = content_words(ranking.query.question)
    taken = taken_for(snapshot.keyword, ranking.query, [each.paragraph for each in ranked])
    copies = also_in(snapshot.store, [each.copies for each in ranked])
    return [
        HitShape(
            rank=each.rank,
            score=each.score,
            paragraph=ParagraphShape.of(item.passage.article, item.passage.paragraph),
            article=ArticleShape.of(item.passage.article),
            matches=list(_matches(snapshot, ranking, item)),
            **_best_sentence(snapshot, asked, item),
            contributions=[
                ContributionShape(
                    **asdict(part),
                    **({"corrected": words} if words and part.source == "keyword" else {}),
                )
                for part in each.contributions
            ],
            also_in=[CopyShape.of(copy) for copy in others],
        )
        for item, each, words, others in zip(evidence, ranked, taken, copies, strict=True)
    ]


def _matches(snapshot: Snapshot, ranking: Ranking, evidence: Evidence) -> tuple[Span, ...]:
    passage = evidence.passage
    return snapshot.keyword.matches(ranking.query, passage.paragraph.text, passage.article.language)


def _best_sentence(
    snapshot: Snapshot, asked: str, evidence: Evidence
) -> dict[str, Span | AttributionShape | None]:
    """The sentence nearest to what is ``asked``, and who says it."""
    cosines, coverage = sentence_features(asked, evidence)
    merits = cosines + coverage
    if not merits.any():
        return {"best_sentence": None, "attributed_to": None}
    paragraph = evidence.passage.paragraph
    best = paragraph.sentences[int(merits.argmax())]
    said = of_sentence(snapshot.store.attributions(evidence.passage.key), best)
    return {
        "best_sentence": best,
        "attributed_to": AttributionShape.of(said, paragraph.text),
    }


def explanation_of(snapshot: Snapshot, ranking: Ranking, settings: Settings) -> Explanation:
    """How a ranking came about."""
    constraint = ranking.query.constraint
    return Explanation(
        words=ranking.query.question,
        constraint=None if constraint is None else describe(constraint),
        fusion=settings.fusion,
        tuned=snapshot.tuned.now().parameters,
        weighting=WeightingShape.of(ranking.weighting) if ranking.weighting else None,
        depth=settings.depth,
        candidates=sum(len(each.paragraphs) for each in ranking.ranked),
        model=snapshot.manifest.identity["model"] if snapshot.semantic else None,
    )


def answers_of(
    snapshot: Snapshot, ranked: Sequence[Ranked], answers: Sequence[Answer]
) -> list[AnswerShape]:
    """The shapes of answers that were read in ``ranked`` paragraphs, with who says them."""
    read = {source.passage.key for answer in answers for source in answer.sources}
    sources = [each for each in ranked if each.paragraph in read]
    copies = also_in(snapshot.store, [each.copies for each in sources])
    of_each = {each.paragraph: found for each, found in zip(sources, copies, strict=True)}
    return [AnswerShape.of(answer, of_each, _who_says(snapshot, answer.best)) for answer in answers]


def _who_says(snapshot: Snapshot, reading: Reading) -> Attribution | None:
    attributions = snapshot.store.attributions(reading.passage.key)
    return of_answer(attributions, reading.answer, reading.sentence)
