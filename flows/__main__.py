"""The command line: `perennial`. Exits 0 when done, 2 on a refusal, 1 on a fault.

Heavy imports stand inside the commands, so that `perennial --help` answers at once.
"""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import click

from flows.command import CHARTER, DAY, SET, Result, cli, command


def main() -> None:
    """The entry point of the `perennial` script."""
    cli()


@command
@click.argument("name")
@click.option("--data", required=True, type=click.Path(path_type=Path), help="The file to look at.")
@click.option("--target", help="The column to predict; guessed where it is left out.")
def new(name: str, data: Path, target: str | None) -> Result:
    """Look at a data file and draft configs/NAME.yaml."""
    from flows.terminal import say_end
    from tasks.draft import draft

    path = draft(name, data, target)
    say_end("drafted", {"charter": str(path), "next": f"perennial train {path}"})
    return {"charter": str(path)}


@command
@CHARTER
@click.option(
    "--table-version", metavar="N",
    help="Learn from an old version of the table, as the model card names it.",
)  # fmt: skip
@SET
def train(charter: Path, table_version: str | None, overrides: tuple[str, ...]) -> Result:
    """Train, judge and deploy what a charter asks for."""
    from flows import embedded

    trained = embedded.run("train", charter, overrides, table_version=table_version)
    from flows.trained import say_trained

    say_trained(trained, charter)
    return trained


@command
@CHARTER
@click.option("--reason", default="asked", show_default=True, help="Stands in the history.")
@SET
def retrain(charter: Path, reason: str, overrides: tuple[str, ...]) -> Result:
    """Fold in what happened at run time; a better model takes over, a tie keeps what is live."""
    from flows import embedded

    retrained = embedded.run("retrain", charter, overrides, reason=reason)
    from flows.summary import say_retrained

    say_retrained(retrained, charter)
    return retrained


@command
@CHARTER
@click.option("--yes", is_flag=True, help="Do not ask.")
def accept(charter: Path, yes: bool) -> Result:
    """Take the edit of the expectation suite that was proposed when the columns changed."""
    from charter.load import load
    from flows.acceptance import ask
    from tasks.accept import accept as take
    from tasks.accept import proposed

    words = load(charter)
    proposal = proposed(words)
    if not ask(proposal, yes):
        return {"outcome": "declined"}
    accepted = take(words, proposal)
    from flows.terminal import say_end

    say_end("accepted", {"suite": accepted.suite, "next": f"perennial train {charter}"})
    return accepted


@command
@CHARTER
@SET
def monitor(charter: Path, overrides: tuple[str, ...]) -> Result:
    """Look at what happens at run time: drift, performance, age and the service."""
    from flows import embedded

    watched = embedded.run("monitor", charter, overrides)
    from flows.summary import say_watched

    say_watched(watched, charter)
    return watched


@command
@CHARTER
@SET
def canary(charter: Path, overrides: tuple[str, ...]) -> Result:
    """Promote or withdraw the release that is tried on a share of the traffic, where that is clear."""
    from flows import embedded

    decided = embedded.run("canary", charter, overrides)
    from flows.decided import say_decided

    say_decided(decided)
    return decided


@command
@CHARTER
@click.option("--to", type=int, metavar="RELEASE", help="Default: the one that was live before.")
@click.option("--reason", default="asked", show_default=True, help="Stands in the history.")
def rollback(charter: Path, to: int | None, reason: str) -> Result:
    """Bring the previous release back at once; nothing else has to run for it."""
    from charter.load import load
    from tasks.rollback import rollback as bring_back

    rolled = bring_back(load(charter), to, reason)
    from flows.summary import say_rolled_back

    say_rolled_back(rolled)
    return rolled


@command
@CHARTER
@SET
def tidy(charter: Path, overrides: tuple[str, ...]) -> Result:
    """Remove what nothing needs any more, put small files together, and tell the room it takes."""
    from flows import embedded

    tidied = embedded.run("tidy", charter, overrides)
    from flows.summary import say_tidied

    say_tidied(tidied)
    return tidied


@command
@CHARTER
@click.option("--subject", required=True, metavar="ID", help="Who; - reads it from the input.")
@SET
def forget(charter: Path, subject: str, overrides: tuple[str, ...]) -> Result:
    """Erase one person from every store, and prove it by a search."""
    from pydantic import SecretStr

    from flows import embedded

    name = sys.stdin.readline().strip() if subject == "-" else subject
    return embedded.run("forget", charter, overrides, subject=SecretStr(name))


@command
@CHARTER
@click.option("--input", required=True, type=click.Path(path_type=Path), help="Rows to score.")
@click.option(
    "--output", required=True, type=click.Path(path_type=Path), help="A .csv or .parquet file."
)
@SET
def score(charter: Path, input: Path, output: Path, overrides: tuple[str, ...]) -> Result:
    """Score a file with the live release."""
    from flows import embedded

    return embedded.run("score", charter, overrides, input=input, output=output)


@command
@CHARTER
@click.option("--input", required=True, type=click.Path(path_type=Path), help="Outcomes.")
@SET
def feedback(charter: Path, input: Path, overrides: tuple[str, ...]) -> Result:
    """Tell the journal what turned out to be true.

    A CSV or Parquet file: with a column `id`, the truths of predictions; without one, whole rows
    with their target, which came without the service.
    """
    from flows import embedded

    return embedded.run("feedback", charter, overrides, input=input)


@command
@CHARTER
@click.option("--from", "since", type=DAY, help="The first day, UTC; default: data.until.")
@click.option("--to", "until", type=DAY, help="The last day, UTC; default: the last row's.")
@SET
def replay(
    charter: Path, since: datetime | None, until: datetime | None, overrides: tuple[str, ...]
) -> Result:
    """Live run time again: later rows to the service, the schedule at work, frozen against loop.

    Happens in a root of its own under replays/; what is live is not touched.
    """
    from flows import embedded

    first, last = (day.date() if day else None for day in (since, until))
    replayed = embedded.run("replay", charter, overrides, since=first, until=last)
    from flows.summary import say_replayed

    say_replayed(replayed)
    return replayed


@command
@CHARTER
@click.option("--host", help="The address to bind to; default: deployment.host.")
@click.option("--port", type=int, help="Default: deployment.port.")
def serve(charter: Path, host: str | None, port: int | None) -> Result:
    """Answer over HTTP with the live release; a new one is picked up by itself."""
    from charter.load import load
    from flows.services import serve_here

    words = load(charter)
    serve_here(words, host or words.deployment.host, port or words.deployment.port)
    return {}


@command
@CHARTER
@click.option("--rps", type=float, required=True, metavar="N", help="Requests a second.")
@click.option("--release", type=int, metavar="N", help="Default: the live one.")
@SET
def size(charter: Path, rps: float, release: int | None, overrides: tuple[str, ...]) -> Result:
    """Measure the service on this machine, and say what a load needs within the charter's p99."""
    from charter.load import load
    from flows.sized import say_sized
    from tasks.size import size as measure

    sized = measure(load(charter, overrides), rps, release)
    say_sized(sized)
    return sized


@command
@click.argument("charters", nargs=-1, type=click.Path(path_type=Path))
@click.option("--port", default=4200, show_default=True, help="The port of the Prefect UI.")
def up(charters: tuple[Path, ...], port: int) -> Result:
    """Run the Prefect UI, the schedules and the scoring services until Ctrl-C.

    Without CHARTERS: those of every charter in configs/.
    """
    from flows.up import up as start

    start(charters, port)
    return {}


@command
@click.option(
    "--output", type=click.Path(path_type=Path), default="perennial.key", show_default=True,
    help="The file of the private key; only its owner may read it.",
)  # fmt: skip
def keys(output: Path) -> Result:
    """Make the pair of keys that releases are signed with, and verified by."""
    from flows.keys import make

    return make(output)


@command
@CHARTER
@click.option("--output", required=True, type=click.Path(path_type=Path), help="The new folder.")
@click.option("--service", required=True, metavar="URL", help="Where the device finds the service.")
def device(charter: Path, output: Path, service: str) -> Result:
    """Write the folder that answers on a device, without a network, and keeps itself up to date."""
    from charter.load import load
    from flows.terminal import say_end
    from tasks.equip import equip

    kit = equip(load(charter), output, service)
    ask = f"python {output}/device.py ask '{{...}}'"
    say_end("device", {"folder": f"{output}, {kit.megabytes:g} MB", "ask": ask})
    return kit


if __name__ == "__main__":
    main()
