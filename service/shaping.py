"""From a ranking and its evidence to the shapes that users see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from indexer.leaves import describe
from indexer.settings import Settings
from indexer.types import Span
from service.answers import AnswerShape
from service.assembly import Answer
from service.copies import also_in
from service.ranked import Ranked
from service.reading import Evidence, content_words, sentence_features
from service.results import (
    ArticleShape,
    ContributionShape,
    CopyShape,
    Explanation,
    HitShape,
    ParagraphShape,
    WeightingShape,
)
from service.retrieval import Ranking
from service.snapshot import Snapshot
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
            best_sentence=_best_sentence(asked, item),
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


def _best_sentence(asked: str, evidence: Evidence) -> Span | None:
    cosines, coverage = sentence_features(asked, evidence)
    merits = cosines + coverage
    return evidence.passage.paragraph.sentences[int(merits.argmax())] if merits.any() else None


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
    """The shapes of answers that were read in ``ranked`` paragraphs."""
    read = {source.passage.key for answer in answers for source in answer.sources}
    sources = [each for each in ranked if each.paragraph in read]
    copies = also_in(snapshot.store, [each.copies for each in sources])
    of_each = {each.paragraph: found for each, found in zip(sources, copies, strict=True)}
    return [AnswerShape.of(answer, of_each) for answer in answers]
