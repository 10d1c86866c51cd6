"""What the doctor's checks look at: an index folder and its seeds, each part looked at once."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cached_property

from indexer.consistency import Stores, open_stores
from indexer.errors import IndexCorrupt, ModelError, NotFound, WinnowError
from indexer.generations import Generations
from indexer.manifest import REPORT, Manifest, require_readable
from indexer.plan import Survey, survey
from indexer.protocols import Embedder
from indexer.reports import BuildReport, read_report
from indexer.settings import Settings


class Unsound(Exception):
    """There is no live generation in which what is to be checked could be looked at."""


class Patient:
    """A collection under examination.

    ``loaded`` says that the ``embedder`` may be asked for more than its name. What is opened is
    left to ``opened``, ``options`` are those of the commands that mend something here.
    """

    def __init__(
        self,
        settings: Settings,
        embedder: Embedder | ModelError,
        options: str,
        loaded: bool,
        opened: ExitStack,
    ) -> None:
        self.settings = settings
        self.embedder = embedder
        self.loaded = loaded
        self.generations = Generations(settings.index)
        self._options = options
        self._opened = opened

    def winnow(self, command: str) -> str:
        """A command line of the program for the same folders."""
        return f"winnow {command}{self._options}"

    @cached_property
    def live(self) -> Manifest | None:
        """The live generation's manifest, held so that no build removes it meanwhile."""
        try:
            manifest = self.generations.live()
        except WinnowError:
            return None
        self._opened.enter_context(self.generations.hold(manifest.id))
        return manifest

    @property
    def manifest(self) -> Manifest:
        """The same; Unsound where there is none."""
        if self.live is None:
            raise Unsound("there is no live generation")
        return self.live

    @cached_property
    def damage(self) -> dict[str, list[str]]:
        """What is damaged in each generation, by its id, the live one first."""
        known: dict[int, str] = {}
        live = [self.live.id] if self.live else []
        ids = [*live, *(id_ for id_ in self.generations.ids() if id_ not in live)]
        return {id_: self._damage_of(id_, known) for id_ in ids}

    @cached_property
    def stores(self) -> Stores:
        """The stores of the live generation; Unsound where they cannot be relied on."""
        if self.damage[self.manifest.id]:
            raise Unsound("the live generation is damaged")
        try:
            require_readable(self.manifest)
        except IndexCorrupt as error:
            raise Unsound(str(error)) from error
        folder = self.generations.path(self.manifest.id)
        return self._opened.enter_context(open_stores(folder))

    @cached_property
    def survey(self) -> Survey:
        """The seeds as they are against the live generation."""
        return survey(self.settings.seeds, self.live)

    @cached_property
    def report(self) -> BuildReport:
        """What the build of the live generation said of files that are as they were."""
        return read_report(self.generations.path(self.manifest.id) / REPORT)

    @property
    def unchanged(self) -> set[str]:
        """Paths of seed files that are as they were when they were indexed."""
        return {record.path for record in self.survey.records} - self.survey.plan.new

    def _damage_of(self, id_: str, known: dict[int, str]) -> list[str]:
        try:
            with self.generations.hold(id_):
                return self.generations.damage(self.generations.manifest(id_), known)
        except IndexCorrupt as error:
            return [str(error)]
        except NotFound:  # removed meanwhile, as older ones are
            return []
