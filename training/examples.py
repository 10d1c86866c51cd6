"""Questions with passages and answers, as tokens."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from service.judgments import read_judged

Tokens = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Context:
    """A passage: its tokens, and their offsets in ``text``, shape (tokens, 2)."""

    text: str
    tokens: Tokens
    offsets: Tokens


@dataclass(frozen=True, slots=True)
class Example:
    """A question, the number of its context, and the answers: texts, and first and last tokens."""

    question: str
    tokens: Tokens
    context: int
    answers: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Examples:
    """The examples of a file."""

    name: str
    contexts: tuple[Context, ...]
    examples: tuple[Example, ...]


def read_examples(folder: Path, name: str, tokenizer: Tokenizer) -> Examples:
    """Read and tokenise ``<folder>/<name>.jsonl.gz``."""
    rows = list(_rows(folder / f"{name}.jsonl.gz"))
    texts = list(dict.fromkeys(row["context"] for row in rows))
    numbers = {text: number for number, text in enumerate(texts)}
    contexts = _contexts(texts, tokenizer)
    codes = tokenizer.encode_batch([row["question"] for row in rows], add_special_tokens=False)
    examples = []
    for row, code in zip(rows, codes, strict=True):
        number = numbers[row["context"]]
        answers = [(each["answer_start"], each["text"]) for each in row["answers"]]
        spans = (_tokens_of(contexts[number], at, at + len(text)) for at, text in answers)
        examples.append(
            Example(
                question=row["question"],
                tokens=np.array(code.ids, np.int32),
                context=number,
                answers=tuple(text for _, text in answers),
                spans=tuple(span for span in spans if span is not None),
            )
        )
    return Examples(name, contexts, tuple(examples))


def parted(examples: Examples, every: int) -> tuple[list[Example], list[Example]]:
    """Those to train on, and those held out: all questions of one in ``every`` contexts."""
    out = {
        number
        for number, context in enumerate(examples.contexts)
        if hashlib.sha256(context.text.encode()).digest()[0] * every < 256
    }
    kept = [each for each in examples.examples if each.context not in out and each.spans]
    return kept, [each for each in examples.examples if each.context in out]


def _tokens_of(context: Context, start: int, end: int) -> tuple[int, int] | None:
    """First and last token that touch the characters from ``start`` to ``end``."""
    touched = np.flatnonzero((context.offsets[:, 1] > start) & (context.offsets[:, 0] < end))
    return (int(touched[0]), int(touched[-1])) if len(touched) else None


def _rows(path: Path) -> Iterator[Any]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def judged_examples(folder: Path, tokenizer: Tokenizer) -> Examples:
    """The questions of a set as BEIR has them, each with the text that answers it."""
    judged = read_judged(folder)
    with judged.corpus.open(encoding="utf-8") as file:
        texts = {row["_id"]: row["text"] for row in map(json.loads, file)}
    numbers = {id_: number for number, id_ in enumerate(texts)}
    examples = tuple(
        Example(
            question=question,
            tokens=np.array(tokenizer.encode(question, add_special_tokens=False).ids, np.int32),
            context=numbers[document],
            answers=tuple(judged.answers[id_]),
            spans=(),
        )
        for id_, question in judged.questions.items()
        for document in judged.qrels[id_]
    )
    return Examples(judged.name, _contexts(list(texts.values()), tokenizer), examples)


def _contexts(texts: list[str], tokenizer: Tokenizer) -> tuple[Context, ...]:
    codes = tokenizer.encode_batch(texts, add_special_tokens=False)
    return tuple(
        Context(text, np.array(code.ids, np.int32), np.array(code.offsets, np.int32).reshape(-1, 2))
        for text, code in zip(texts, codes, strict=True)
    )
