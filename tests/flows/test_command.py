"""The command line as a person or a script meets it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


def perennial(*arguments: str) -> tuple[int, str]:
    """Exit code and everything printed by the real command, in a process of its own."""
    command = [sys.executable, "-m", "flows", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


def test_help_names_every_command_and_imports_nothing_heavy() -> None:
    code = (
        "import sys; import flows.__main__; "
        "print(sorted({'prefect', 'pandas', 'pydantic', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    code_, output = perennial("--help")
    assert code_ == 0
    for name in ("new", "train", "accept", "score", "serve", "up"):
        assert f"  {name} " in output


def test_a_typo_is_refused_with_exit_code_2_and_the_nearest_key(project: Path) -> None:
    charter = project / "configs" / "berries.yaml"
    charter.write_text(charter.read_text().replace("constraints:", "constrains:"))
    code, _ = perennial("train", "configs/berries.yaml", "--json", "out.json")
    assert code == 2
    result = json.loads((project / "out.json").read_text())
    assert result["outcome"] == "refused"
    assert "Did you mean constraints?" in result["remedy"]


def test_an_override_with_a_typo_names_the_nearest_key(project: Path) -> None:
    code, output = perennial(
        "train", "configs/berries.yaml", "--set", "constraints.train_minuets=1"
    )
    assert code == 2
    assert "Did you mean constraints.train_minutes?" in " ".join(output.split())


def test_a_charter_that_is_not_there_is_refused(project: Path) -> None:
    code, output = perennial("train", "configs/berry.yaml")
    assert code == 2
    assert "berries.yaml" in output


def test_nothing_is_served_before_a_release(project: Path) -> None:
    code, output = perennial("serve", "configs/berries.yaml")
    assert code == 2
    assert "perennial train" in output


def test_a_fault_ends_with_exit_code_1_and_is_written_down(project: Path, root: Path) -> None:
    root.write_text("a file where the folder should be")
    code, output = perennial("train", "configs/berries.yaml", "--json", "out.json")
    assert code == 1
    assert "Traceback" in output
    result = json.loads((project / "out.json").read_text())
    assert result["outcome"] == "fault"
    assert "NotADirectoryError" in result["error"]


@pytest.mark.slow
def test_after_a_refusal_nothing_else_is_said(project: Path) -> None:
    """A refusal amid the reading of rows leaves no database behind that complains at the end."""
    rows = "".join(f"somebody{n}@example.org,{n % 7},{n % 2}\n" for n in range(2_000))
    (project / "berries.csv").write_text(f"mailbox,sugar,ripe\n{rows}")
    charter = project / "configs" / "berries.yaml"
    words = charter.read_text().replace("  key: [berry]\n", "").replace(", slices: [field]", "")
    charter.write_text(words.split("  rules:")[0])
    code, output = perennial("train", "configs/berries.yaml")
    assert code == 2
    assert "mailbox (email in 100.0% of the" in output
    assert "leaked" not in output
    assert output.rstrip().endswith("kept.")
