"""Trained weights as the product ships them."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import save_file

from service.network import Network


def export(network: Network, path: Path) -> None:
    """Write what training changed, in half precision; nothing is left half written."""
    halves = {name: value.half().contiguous() for name, value in network.trained().items()}
    part = path.with_suffix(".new")
    save_file(halves, part)
    part.replace(path)
