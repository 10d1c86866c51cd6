"""Passages that do not answer a question though they share its words."""

from __future__ import annotations

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from training.examples import Example, Examples

_KEPT = 8
_LOOKED_AT = 30
_AT_ONCE = 512


def hard_negatives(examples: Examples, asked: list[Example]) -> list[tuple[int, ...]]:
    """Of each question, contexts near to it by TF-IDF that hold none of its answers, best first."""
    vectorizer = TfidfVectorizer(sublinear_tf=True, stop_words="english")
    contexts = vectorizer.fit_transform([context.text for context in examples.contexts])
    lowered = [context.text.casefold() for context in examples.contexts]
    found: list[tuple[int, ...]] = []
    for at in range(0, len(asked), _AT_ONCE):
        part = asked[at : at + _AT_ONCE]
        questions = vectorizer.transform([each.question for each in part])
        nearness = (questions @ contexts.T).toarray()
        near = np.argsort(-nearness, axis=1, kind="stable")[:, :_LOOKED_AT]
        for example, numbers in zip(part, near.tolist(), strict=True):
            answers = [answer.casefold() for answer in example.answers]
            fit = [
                number
                for number in numbers
                if number != example.context
                and not any(answer in lowered[number] for answer in answers)
            ]
            found.append(tuple(fit[:_KEPT]))
    return found
