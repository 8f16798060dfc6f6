"""``vbtools models``: what the suite can use, what of it is installed, and under which licence."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vbtools.cli import console
from vbtools.errors import ModelError

if TYPE_CHECKING:
    from vbtools.models import Model


@click.group("models")
def command() -> None:
    """List, fetch, check and add model files.

    \b
    Example:
        vbtools models pull selfie-landscape
    """


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_models(as_json: bool) -> None:
    """Every model of the catalog: what uses it, its licence, whether it is installed.

    \b
    Example:
        vbtools models list --json
    """
    from vbtools import models

    if as_json:
        console.emit_json({"directory": str(models.directory()), "models": [_row(m) for m in models.CATALOG.values()]})
        return
    rows = [
        (m.name, "yes" if models.installed(m.name) else "no", _megabytes(m.size), ", ".join(m.used_by), m.licence)
        for m in models.CATALOG.values()
    ]
    console.table(("model", "installed", "size", "used by", "licence"), rows)
    for m in models.CATALOG.values():
        if m.licence_note:
            console.say(f"{m.name}: {m.licence}. {m.licence_note}")
    console.say(f"Directory: {models.directory()}")


@command.command("pull")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
def pull_models(names: tuple[str, ...]) -> None:
    """Fetch models and install them; what is installed and right is left alone.

    \b
    Example:
        vbtools models pull selfie-landscape selfie-square
    """
    from vbtools import models

    for entry in [models.model(name) for name in names]:
        if models.installed(entry.name) is None:
            console.note(models.licence_words(entry))
        with console.progress(f"fetching {entry.name}", entry.size) as bar:
            path = models.pull(entry.name, bar.update)
        console.say(f"{entry.name}: {path}")


@command.command("verify")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify_models(as_json: bool) -> None:
    """Read every installed model in full and compare its sha256; exit 9 when one is damaged.

    \b
    Example:
        vbtools models verify
    """
    from vbtools import models

    checks = models.verify()
    if as_json:
        console.emit_json(
            [
                {"name": c.name, "state": c.state, "path": str(c.path), "sha256": c.sha256, "detail": c.detail}
                for c in checks
            ]
        )
    else:
        console.table(("model", "state", "detail"), [(c.name, c.state, c.detail) for c in checks])
    damaged = [c.name for c in checks if c.state == "damaged"]
    if damaged:
        raise ModelError(f"Damaged: {', '.join(damaged)}", f"Run: vbtools models pull {' '.join(damaged)}")


@command.command("add")
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path))
def add_model(name: str, file: Path) -> None:
    """Install FILE as the model NAME: without a network, or where there is no automatic source.

    \b
    Example:
        vbtools models add mprnet-deblurring model_deblurring.pth
    """
    from vbtools import models

    entry = models.model(name)
    if models.installed(name) is None:
        console.note(models.licence_words(entry))
    path = models.add(name, file)
    console.say(f"{name}: {path} (sha256 {models.sha256_of(path)})")


def _row(entry: Model) -> dict[str, object]:
    from vbtools import models

    path = models.installed(entry.name)
    return {
        "name": entry.name,
        "kind": entry.kind,
        "file": entry.file,
        "size": entry.size,
        "sha256": entry.sha256,
        "licence": entry.licence,
        "licence_note": entry.licence_note,
        "homepage": entry.homepage,
        "sources": [str(source) for source in entry.sources],
        "used_by": list(entry.used_by),
        "installed": path is not None,
        "path": None if path is None else str(path),
    }


def _megabytes(size: int | None) -> str:
    return "" if size is None else f"{size / 1e6:.1f} MB"
