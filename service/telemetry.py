"""What the service counts and measures, for Prometheus at ``/metrics``.

Every application has a registry of its own. Values of labels come from the code: templates of
routes, stages, codes of errors. What somebody sends never becomes one, so their number is bounded.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from pydantic import BaseModel
from werkzeug.wsgi import ClosingIterator

from service import logs
from service.answers import AnswerResult
from service.states import BuildState, Readiness

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from prometheus_client import Metric

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Bounds of a request's buckets: a look-up takes a millisecond, a cold start seconds."""

_BUILD_SECONDS = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14400.0)
"""Bounds of a build's: nothing to do takes a tenth of a second, a large collection hours."""

_REFUSED = {429, 503}
"""Statuses of a request that was not served though nothing was wrong with it."""

_KINDS = {
    "an older index is in use": "index",
    "keywords only": "model",
    "fitted weights": "tuning",
    "nothing is read": "reader",
    "in ": "time",
    "query syntax": "syntax",
    "there is no article": "dates",
    "nothing was found": "dates",
    "changes to the seeds": "seeds",
    "processes": "processes",
}
"""Kinds of what degrades a result, by how the reason begins."""


@dataclass(frozen=True, slots=True)
class Described:
    """A metric as docs/observing.md describes it."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str


_STATE = (
    Described("winnow_ready", "gauge", (), "1 while questions can be answered, else 0."),
    Described("winnow_articles", "gauge", (), "Articles of the index in use."),
    Described("winnow_paragraphs", "gauge", (), "Paragraphs of the index in use."),
    Described("winnow_pending_seeds", "gauge", (), "Seed files that changed since it was built."),
    Described(
        "winnow_generation_age_seconds", "gauge", (), "How long ago its build began; none: absent."
    ),
    Described(
        "winnow_log_lines_lost_total", "counter", (), "Lines of the log that could not be written."
    ),
)
"""What is looked up when it is asked for."""


def kind_of(reason: str) -> str:
    """The kind of a reason for which a result is less than it could be; ``other`` if unknown."""
    return next((kind for start, kind in _KINDS.items() if reason.startswith(start)), "other")


class Telemetry:
    """The metrics of one application; ``readiness`` tells the state of its index."""

    def __init__(self, readiness: Callable[[], Readiness]) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self._described: list[Described] = []
        self._requests = self._counter(
            "winnow_requests_total", "Requests that were answered.", ("route", "status")
        )
        self._request_seconds = self._histogram(
            "winnow_request_seconds", "Time until a response began.", ("route",), _SECONDS
        )
        self._in_flight = Gauge(
            "winnow_requests_in_flight",
            self._describe(
                "winnow_requests_in_flight",
                "gauge",
                "Requests being answered, streams and the one that asks for this included.",
            ),
            registry=self.registry,
        )
        self._refusals = self._counter(
            "winnow_refusals_total", "Requests refused with 429 or 503, by code.", ("reason",)
        )
        self._stage_seconds = self._histogram(
            "winnow_stage_seconds", "Time that questions took, by stage.", ("stage",), _SECONDS
        )
        self._answers = self._counter(
            "winnow_answers_total", "Questions answered or not, by reason.", ("reason",)
        )
        self._degraded = self._counter(
            "winnow_degraded_results_total", "Results not at their best, by kind.", ("kind",)
        )
        self._builds = self._counter(
            "winnow_builds_total", "Builds that ended: published, unchanged, failed.", ("outcome",)
        )
        self._build_seconds = self._histogram(
            "winnow_build_seconds", "Time that builds took.", ("outcome",), _BUILD_SECONDS
        )
        self.registry.register(_State(readiness))
        ProcessCollector(registry=self.registry)

    def described(self) -> Sequence[Described]:
        """Every metric but those of the process."""
        return *self._described, *_STATE

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """All metrics as they are now and their content type, in a format that ``accept`` names."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type

    def in_flight(self, app: WSGIApplication) -> WSGIApplication:
        """``app``, with its requests counted until the last byte of a response is sent."""

        def counted(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            self._in_flight.inc()
            try:
                body = app(environ, start_response)
            except BaseException:
                self._in_flight.dec()
                raise
            return ClosingIterator(body, self._in_flight.dec)

        return counted

    def request(self, route: str, status: int, seconds: float, problem: str | None) -> None:
        """Count a request to the template ``route``; ``problem`` is the code of its error."""
        self._requests.labels(route, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)
        if status in _REFUSED and problem is not None:
            self._refusals.labels(problem).inc()

    def result(self, _query: BaseModel, result: BaseModel) -> None:
        """Count what the engine found; whatever has no times or reasons has none to count."""
        took: dict[str, float] = getattr(result, "took_ms", {})
        for stage, milliseconds in took.items():
            self._stage_seconds.labels(stage).observe(milliseconds / 1000)
        for kind in {kind_of(reason) for reason in getattr(result, "degraded", ())}:
            self._degraded.labels(kind).inc()
        if isinstance(result, AnswerResult):
            self._answers.labels(result.reason).inc()

    def build(self, state: BuildState) -> None:
        """Count a build that has ended."""
        if state.started is None or state.finished is None:
            return
        outcome = outcome_of(state)
        self._builds.labels(outcome).inc()
        seconds = (state.finished - state.started).total_seconds()
        self._build_seconds.labels(outcome).observe(seconds)

    def _counter(self, name: str, meaning: str, labels: tuple[str, ...]) -> Counter:
        described = self._describe(name, "counter", meaning, labels)
        return Counter(name, described, labels, registry=self.registry)

    def _histogram(
        self, name: str, meaning: str, labels: tuple[str, ...], bounds: tuple[float, ...]
    ) -> Histogram:
        described = self._describe(name, "histogram", meaning, labels)
        return Histogram(name, described, labels, registry=self.registry, buckets=bounds)

    def _describe(self, name: str, kind: str, meaning: str, labels: tuple[str, ...] = ()) -> str:
        self._described.append(Described(name, kind, labels, meaning))
        return meaning


def outcome_of(state: BuildState) -> str:
    """How a build ended, in a word."""
    if state.report is None:
        return "failed"
    return "published" if state.report.published else "unchanged"


class _State(Collector):
    """What is looked up when it is asked for; see ``_STATE``."""

    def __init__(self, readiness: Callable[[], Readiness]) -> None:
        self._readiness = readiness

    def collect(self) -> Iterator[Metric]:
        """One sample of each."""
        now = self._readiness()
        values = {
            "winnow_ready": float(now.status != "not_ready"),
            "winnow_articles": float(now.articles),
            "winnow_paragraphs": float(now.paragraphs),
            "winnow_pending_seeds": float(now.pending),
            "winnow_log_lines_lost_total": float(logs.lost()),
        }
        if now.created is not None:
            age = dt.datetime.now(dt.UTC) - now.created
            values["winnow_generation_age_seconds"] = age.total_seconds()
        families = {"gauge": GaugeMetricFamily, "counter": CounterMetricFamily}
        for each in _STATE:
            if each.name in values:
                yield families[each.kind](each.name, each.meaning, value=values[each.name])


def documented() -> Iterator[str]:
    """Lines of the table in docs/observing.md, as ``docs/tables.py`` writes it."""
    yield "| metric | type | labels | meaning |"
    yield "|---|---|---|---|"
    for each in Telemetry(_never).described():
        labels = ", ".join(f"`{label}`" for label in each.labels)
        yield f"| `{each.name}` | {each.kind} | {labels} | {each.meaning} |"


def _never() -> Readiness:
    raise RuntimeError("a description needs no readiness")
