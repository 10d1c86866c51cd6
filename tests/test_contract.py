"""/openapi.json describes the service: schemathesis asks for what it says can be had, and not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from fakes import WordEmbedder, silent, write_article
from flask import Flask
from pydantic import TypeAdapter
from schemathesis.core.failures import Failure
from schemathesis.engine import from_schema
from schemathesis.engine.events import FatalError, NonFatalError, ScenarioFinished
from schemathesis.engine.run import PhaseName
from schemathesis.openapi.checks import RejectedPositiveData
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from indexer.build import build
from indexer.reports import BuildReport
from indexer.settings import Settings
from service import answers, hints, requests, results, states
from service.api import create_app
from service.builds import Builds
from service.engine import Engine
from service.examples import BODIES, SHAPES

CONFIG = {
    "seed": 1,
    "continue-on-failure": True,
    # It does not read what it says by itself that it can.
    "headers": {"Accept-Encoding": "identity"},
    "generation": {"max-examples": 8, "database": "none"},
    "phases": {"stateful": {"generation": {"max-examples": 8}, "max-steps": 4}},
}

BETWEEN_PARAMETERS = {"cursor", "after"}
"""What is refused though each parameter is right by itself, which no schema can say."""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    folder = tmp_path_factory.mktemp("contract")
    settings = Settings(seeds=folder / "seeds", index=folder / "index")
    for number in range(4):
        write_article(settings.seeds, f"{number}.txt", f"Brussels proposed operator {number}.")
    report = build(settings, WordEmbedder(), progress=silent)
    engine = Engine(settings, WordEmbedder())

    def rebuild(full: bool, _settle: float, progress: object) -> BuildReport:
        return report

    builds = Builds(rebuild)
    yield create_app(engine, builds)
    builds.close()
    engine.close()


@pytest.fixture(scope="module")
def document(app: Flask) -> dict[str, Any]:
    document: dict[str, Any] = app.test_client().get("/openapi.json").get_json()
    return document


@pytest.fixture(scope="module")
def described(app: Flask) -> BaseSchema:
    config = schemathesis.Config.from_dict(CONFIG)
    described = schemathesis.openapi.from_wsgi("/openapi.json", app, config=config)

    @described.hook
    def filter_failure(_context: Any, failure: Failure, _case: Any, response: Any) -> bool:
        return not (
            isinstance(failure, RejectedPositiveData)
            and response.json().get("parameter") in BETWEEN_PARAMETERS
        )

    return described


def test_the_service_does_what_its_description_says(described: BaseSchema) -> None:
    asked: Counter[PhaseName] = Counter()
    wrong: set[str] = set()
    for event in from_schema(described).execute():
        if isinstance(event, ScenarioFinished):
            asked[event.phase] += len(event.recorder.cases)
            for checks in event.recorder.checks.values():
                for each in checks:
                    if each.failure_info is not None:
                        failure = each.failure_info
                        wrong.add(f"{each.name}: {failure.failure}\n{failure.code_sample}")
        elif isinstance(event, NonFatalError):
            wrong.add(f"{event.label}: {event.value!r}")
        elif isinstance(event, FatalError):
            raise event.exception
    assert not wrong, "\n\n".join(sorted(wrong))
    phases = (PhaseName.EXAMPLES, PhaseName.COVERAGE, PhaseName.FUZZING, PhaseName.STATEFUL_TESTING)
    assert all(asked[phase] for phase in phases), asked


def test_the_description_is_valid_openapi(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    assert [error.message for error in OPENAPI_31_VALIDATOR.iter_errors(document)] == []


def test_every_parameter_and_every_response_of_substance_has_an_example(
    document: dict[str, Any],
) -> None:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            for parameter in operation.get("parameters", ()):
                assert "example" in parameter, (where, parameter["name"])
                assert parameter["description"], (where, parameter["name"])
            for content in operation.get("requestBody", {"content": {}})["content"].values():
                assert content["example"], where
            for status, response in operation["responses"].items():
                assert response["description"], (where, status)
                assert "X-Request-ID" in response["headers"], (where, status)
                for content in response.get("content", {}).values():
                    assert content["example"], (where, status)
            assert {"400", "421", "500"} <= operation["responses"].keys(), where
            admins = path.startswith(("/v1/builds", "/v1/generations"))
            assert ("403" in operation["responses"]) == (admins or method != "get"), where


def test_every_example_has_its_shape() -> None:
    models = (answers, hints, requests, results, states)
    for name, example in [*SHAPES.items(), *BODIES.items()]:
        model = next(getattr(module, name) for module in models if hasattr(module, name))
        adapter = TypeAdapter(model)
        parsed = adapter.validate_python(example)
        written = adapter.dump_python(parsed, mode="json", exclude_unset=True)
        assert written == example, name


def test_examples_of_offsets_are_right() -> None:
    answer = SHAPES["AnswerResult"]["answer"]
    text = answer["paragraph"]["text"]
    assert text[answer["start"] : answer["end"]] == answer["text"]
    assert text[answer["sentence_start"] : answer["sentence_end"]] == answer["sentence"]
    (hit,) = SHAPES["SearchResult"]["hits"]
    assert [text[start:end] for start, end in hit["matches"]] == [
        *("proposed", "third-party", "operator")
    ]
    assert sum(part["points"] for part in hit["contributions"]) == pytest.approx(hit["score"])


def test_links_lead_to_operations_that_there_are(document: dict[str, Any]) -> None:
    operations = [each for methods in document["paths"].values() for each in methods.values()]
    known = {operation["operationId"] for operation in operations}
    links = [
        link
        for operation in operations
        for response in operation["responses"].values()
        for link in response.get("links", {}).values()
    ]
    assert len(links) == 7
    assert {link["operationId"] for link in links} <= known
