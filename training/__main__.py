"""``python -m training``: train the reader and write its weights."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import torch

from indexer.embedding import packaged_folder, read_tokenizer
from service.extraction import WEIGHTS
from service.network import Network
from training.batches import Source
from training.curve import draw
from training.examples import Example, Examples, parted, read_examples, read_judged
from training.export import export
from training.loop import Trainer
from training.negatives import hard_negatives
from training.recipe import RECIPE
from training.scoring import reading

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
_SAMPLE = 300
"""Questions of each set that are asked for a point of the curve."""


@click.command()
@click.option("--data", type=click.Path(path_type=Path), default=DATA, help="Folder of the data.")
@click.option("--work", type=click.Path(path_type=Path), default=Path("training/checkpoints"))
@click.option("--device", default="cpu", show_default=True)
@click.option("--threads", default=2, show_default=True)
@click.option("--weights", type=click.Path(path_type=Path), default=WEIGHTS)
@click.option("--picture", type=click.Path(path_type=Path), default=Path("docs/training.svg"))
def main(  # noqa: PLR0913 - an option each
    *, data: Path, work: Path, device: str, threads: int, weights: Path, picture: Path
) -> None:
    """Train the reader, or go on from the last checkpoint in the folder ``--work``."""
    torch.set_num_threads(threads)
    torch.manual_seed(RECIPE.seed)
    work.mkdir(parents=True, exist_ok=True)
    base = packaged_folder()
    tokenizer = read_tokenizer(base)
    held: list[tuple[Examples, list[Example]]] = []
    sources = []
    for stage in RECIPE.stages:
        of_stage = []
        for name, share in stage.shares.items():
            examples = read_examples(data / "reader", name, tokenizer)
            asked, out = parted(examples, RECIPE.held_out)
            negatives = hard_negatives(examples, asked) if stage.negatives else []
            of_stage.append(Source(examples, asked, negatives, share))
            if stage.negatives:
                held.append((examples, out))
        sources.append(of_stage)
    unseen = {
        "tydiqa-en-dev": read_examples(data / "reader", "tydiqa-en-dev", tokenizer),
        "xquad-en": read_judged(data / "eval" / "xquad-en", tokenizer),
    }

    def evaluate(network: Network) -> dict[str, float]:
        values = {}
        for name, examples in unseen.items():
            sample = _sample(list(examples.examples))
            for metric, value in reading(network, examples.contexts, sample).items():
                values[f"{name} {metric}"] = value
        scores = [
            reading(network, examples.contexts, _sample(out, _SAMPLE // len(held)))
            for examples, out in held
        ]
        for metric in scores[0]:
            values[f"held out {metric}"] = sum(each[metric] for each in scores) / len(scores)
        return values

    network = Network()
    network.start_from(base / "model.safetensors")
    trainer = Trainer(network, RECIPE, work, device)
    trainer.train(sources, evaluate)
    export(trainer.average, weights)
    draw(work / "log.jsonl", picture)


def _sample(asked: list[Example], count: int = _SAMPLE) -> list[Example]:
    return asked[:: max(1, len(asked) // count)][:count]


if __name__ == "__main__":
    sys.exit(main())
