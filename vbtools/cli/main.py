"""``vbtools``: the list of commands, and the one place that turns errors into messages and exit codes."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from typing import Any

import click

from vbtools import __version__
from vbtools.cli import console
from vbtools.errors import VERDICT_EXIT_CODES, InterruptedRun, StorageError, VbtoolsError, nearest
from vbtools.stages import all_stages

AFTER_THE_STAGES: tuple[tuple[str, str, str], ...] = (
    ("run", "vbtools.cli.run:command", "run a recipe: all stages, skipping what is fresh"),
    ("status", "vbtools.cli.status:command", "which stages are fresh, stale or missing, and why"),
    ("log", "vbtools.cli.log:command", "who made what, when, with which parameters"),
    ("export", "vbtools.cli.export:command", "pictures, tables and frames: what was found"),
    ("compare", "vbtools.cli.compare:command", "two projects: what was done differently, what came of it"),
    ("report", "vbtools.cli.report:command", "the evidence and the verdict, as a page to read offline"),
    ("verdict", "vbtools.cli.verdict:command", "leak shown | none found at this power | inconclusive"),
    ("pack", "vbtools.cli.pack:command", "one self-contained project file"),
    ("gc", "vbtools.cli.gc:command", "remove bulk that nothing refers to any more"),
    ("simulate", "vbtools.cli.simulate:command", "make a blurred call whose truth is known"),
    ("evaluate", "vbtools.cli.evaluate:command", "score a project against the truth and the best possible"),
    ("models", "vbtools.cli.models:command", "list, fetch and check model files"),
    ("doctor", "vbtools.cli.doctor:command", "what is installed, what can run, what mends each gap"),
)
"""Commands besides the stages: name, ``module:attribute``, summary. A module is imported when its command is used."""


class Commands(click.Group):
    """Commands that are imported when they are used, listed in pipeline order."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Stages first, in their order, then the rest."""
        return [s.name for s in all_stages()] + [name for name, _, _ in AFTER_THE_STAGES]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import one command."""
        if any(s.name == name for s in all_stages()):
            from vbtools.cli.stages import stage_command

            return stage_command(name)
        for known, target, _ in AFTER_THE_STAGES:
            if known == name:
                module, _, attribute = target.partition(":")
                command: click.Command = getattr(importlib.import_module(module), attribute)
                return command
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's, with the nearest name in the message."""
        if args and not args[0].startswith("-") and args[0] not in self.list_commands(ctx):
            ctx.fail(f"There is no command '{args[0]}'. {nearest(args[0], self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from their summaries, importing none."""
        with formatter.section("Stages, in order"):
            formatter.write_dl([(s.name, s.summary) for s in all_stages()])
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, _, summary in AFTER_THE_STAGES])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Document the exit codes."""
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), meaning) for code, meaning in exit_codes().items()])


def exit_codes() -> dict[int, str]:
    """Every exit code with its meaning."""
    codes = {0: "done"} | VERDICT_EXIT_CODES
    found = [VbtoolsError]
    for kind in found:
        codes.setdefault(kind.exit_code, kind.meaning)
        found.extend(kind.__subclasses__())
    return dict(sorted(codes.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="vbtools")
def commands() -> None:
    """How much of your room does a blurred video-call background still give away?

    \b
    Example:
      vbtools run quick --video call.mp4 -p study.h5
      vbtools export -p study.h5 -o pictures
    """


def main(args: list[str] | None = None) -> None:
    """Run the command line and exit with a documented code; the only place that catches VbtoolsError."""
    code = run(args)
    if "torch" not in sys.modules:  # whose parts count what is left at the end, and complain
        gc.freeze()  # or Python would look through all that was imported once more before it leaves: 0.2 s
    sys.exit(code)


def run(args: list[str] | None = None) -> int:
    """As :func:`main`, returning the exit code."""
    try:
        result: Any = commands.main(args=args, prog_name="vbtools", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return int(stop.exit_code)
    except click.ClickException as problem:
        problem.show()
        return problem.exit_code
    except (click.Abort, KeyboardInterrupt):
        stopped = InterruptedRun("Interrupted", "What had finished is kept; run the same command again to go on")
        console.error(stopped)
        return stopped.exit_code
    except VbtoolsError as problem:
        console.error(problem)
        return problem.exit_code
    except BrokenPipeError:  # the reader of our output has gone, as in `vbtools log | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as problem:
        if problem.errno is None or problem.filename is None:
            raise
        refused = StorageError(f"'{problem.filename}': {os.strerror(problem.errno)}", "Check the path and its rights")
        console.error(refused)
        return refused.exit_code
    return result if isinstance(result, int) else 0
