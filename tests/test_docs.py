"""The documentation says what the code does: commands, routes, settings and figures are checked."""

from __future__ import annotations

import json
import re
import runpy
import tomllib
from pathlib import Path
from typing import get_args

import pytest
from conftest import ROOT

from service import telemetry
from service.answers import AnswerResult
from service.cli import main

README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["settings.md", "observing.md"])
def test_tables_are_as_the_code_writes_them(name: str) -> None:
    tables = runpy.run_path(str(ROOT / "docs" / "tables.py"))
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert tables["updated"](text, tables["TABLES"][name]()) == text, "run: make docs"


def test_the_kinds_and_reasons_of_the_metrics_are_documented() -> None:
    text = (ROOT / "docs" / "observing.md").read_text(encoding="utf-8")
    kinds = set(telemetry._KINDS.values())
    reasons = get_args(AnswerResult.model_fields["reason"].annotation)
    assert all(f"`{word}`" in text for word in [*kinds, *reasons])


def test_every_command_is_in_the_readme_and_every_one_there_exists() -> None:
    assert set(re.findall(r"winnow ([a-z]+)", README)) >= main.commands.keys()
    shown = re.findall(r"^ *(?:\.venv/bin/)?winnow ([a-z]+)", README, re.MULTILINE)
    assert set(shown) <= main.commands.keys()


def test_every_file_that_the_readme_names_is_there() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target


def test_figures_in_the_readme_are_those_that_were_measured() -> None:
    measured = json.loads((ROOT / "benchmarks/results/relevance.json").read_text())["results"]
    figures = {(row["set"], row["mode"]): row["nDCG@10"] for row in measured}
    rows = re.findall(r"^\| ([a-z-]+) \| ([.\d]+) \| ([.\d]+) \| ([.\d]+) \|", README, re.MULTILINE)
    assert {name for name, *_ in rows} == {name for name, _ in figures}
    for name, *columns in rows:
        for mode, shown in zip(("hybrid", "keyword", "semantic"), columns, strict=True):
            assert float(shown) == pytest.approx(figures[name, mode], abs=0.00051), (name, mode)


def test_what_the_readme_says_of_rebuilds_was_measured() -> None:
    measured = json.loads((ROOT / "benchmarks/results/rebuilds.json").read_text())
    columns = [measured[name] for name in ("stand-in, 50,000", "model, 10,000")]
    names = {"ten articles added, ten edited, ten deleted": "thirty articles changed"}
    rows = re.findall(r"^\| ([a-z, ]+) \| ([.\d]+ s) \| ([.\d]+ s) \|$", README, re.MULTILINE)
    assert len(rows) == 4
    for name, *shown in rows:
        for column, figure in zip(columns, shown, strict=True):
            assert column[names.get(name, name)].startswith(figure), name
    header = re.findall(r"([\d,]+) paragraphs, with", README)
    assert [column["articles and paragraphs"].split()[-1] for column in columns] == header
    assert "1.09 times" in columns[0]["peak memory of a full build"]


def test_the_fit_of_the_confidence_is_the_one_in_use() -> None:
    from service import reading  # noqa: PLC0415 - private constants, named only here

    results = (ROOT / "benchmarks/results/answers.md").read_text(encoding="utf-8")
    fits = re.findall(
        r"bias (-?[\d.]+), score ([\d.]+), cosine ([\d.]+), coverage ([\d.]+)", results
    )
    in_use = [reading._WITH_MEANING, reading._WITHOUT_MEANING]
    assert [tuple(map(float, fit)) for fit in fits] == in_use


def test_versions_are_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(each for extra in extras.values() for each in extra)]
    wanted.remove("winnow[training]")  # one extra asks for the other
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[\d.]+", each) for each in wanted)


@pytest.mark.parametrize(
    "name",
    [
        *("README.md", "CHANGELOG.md", "docs/settings.md", "docs/measuring.md", "docs/reader.md"),
        "docs/http.md",
        "docs/observing.md",
        "docs/operating.md",
    ],
)
def test_no_document_names_a_path_of_somebodys_machine(name: str) -> None:
    assert not re.search(r"/(?:home|root|work|tmp|Users)/", (ROOT / name).read_text())


def test_the_license_of_every_seed_is_ours() -> None:
    """The sample articles are written for this project: their bylines say so."""
    bylines = [
        line
        for path in Path(ROOT, "seeds").glob("*.txt")
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith("By ")
    ]
    assert len(bylines) >= 12
    assert all(line.startswith("By Winnow sample ") for line in bylines)
