"""The frame of every command: options that all have, `--json`, refusals and faults as exit codes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from traceback import clear_frames
from typing import Any

import click

Result = Any
"""A record or a dict: what `--json` writes."""

SET = click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE",
    help="A key of the charter for this run only, as in constraints.train_minutes=1.",
)  # fmt: skip
DAY = click.DateTime(["%Y-%m-%d"])
CHARTER = click.argument("charter", type=click.Path(path_type=Path))


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="perennial", prog_name="perennial")
def cli() -> None:
    """Machine-learning pipelines that renew themselves."""


def _let_go(error: BaseException) -> None:
    """Drop what the frames of the error still hold: an open database complains at the end."""
    for one in (error, error.__cause__, error.__context__):
        if one is not None:
            clear_frames(one.__traceback__)


def command(run: Callable[..., Result]) -> click.Command:
    """A command that takes `--json FILE` and turns a refusal into exit code 2."""

    @wraps(run)
    def guarded(json_file: Path | None, **options: Any) -> None:
        from charter import Refusal
        from flows import settings
        from tasks.room import room

        settings.apply()
        try:
            with room():
                result, code = {"outcome": "done", **_plain(run(**options))}, 0
        except Refusal as refusal:
            from flows.terminal import say_refusal

            say_refusal(refusal)
            _let_go(refusal)
            result, code = {"outcome": "refused", **vars(refusal)}, 2
        except Exception as fault:
            _say_fault(fault)
            _let_go(fault)
            result, code = {"outcome": "fault", "error": f"{type(fault).__name__}: {fault}"}, 1
        if json_file is not None:
            json_file.write_text(json.dumps(result, indent=2) + "\n")
        sys.exit(code)

    option = click.option(
        "--json", "json_file", type=click.Path(path_type=Path), metavar="FILE",
        help="Write the result there, for scripts.",
    )  # fmt: skip
    return cli.command()(option(guarded))


def _plain(result: Result) -> dict[str, Any]:
    return result if isinstance(result, dict) else dict(result.model_dump(mode="json"))


def _say_fault(fault: Exception) -> None:
    from rich.traceback import Traceback

    from flows.terminal import console

    kind, trace = type(fault), fault.__traceback__
    console.print(Traceback.from_exception(kind, fault, trace, suppress=_libraries()))


def _libraries() -> list[str]:
    """Where frames are shown by their name only: they are not ours."""
    from sysconfig import get_paths

    return [get_paths()["purelib"], get_paths()["stdlib"]]
