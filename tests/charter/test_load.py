"""Each sample charter is accepted, or refused with the words at the end of its file."""

from __future__ import annotations

from pathlib import Path

import pytest

from charter import Charter, Refusal
from charter.load import load

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "tests/samples/charters"
LEAST = "name: x\ngoal: {target: {column: y}}\ndata: {source: {kind: csv, path: x.csv}}\n"


def named(path: Path) -> str:
    return path.stem


def refused(path: Path, *overrides: str) -> str:
    with pytest.raises(Refusal) as caught:
        load(path, overrides)
    return str(caught.value)


@pytest.fixture
def least(tmp_path: Path) -> Path:
    path = tmp_path / "x.yaml"
    path.write_text(LEAST)
    return path


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("valid/*.yaml")), ids=named)
def test_valid(path: Path) -> None:
    assert load(path).name == "x"


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("invalid/*.yaml")), ids=named)
def test_invalid(path: Path) -> None:
    lines = path.read_text().splitlines()
    fragments = [line.removeprefix("# expect: ") for line in lines if line.startswith("# expect: ")]
    message = refused(path)
    assert fragments
    assert [fragment for fragment in fragments if fragment not in message] == [], message


@pytest.mark.parametrize("path", sorted((ROOT / "configs").rglob("*.yaml")), ids=named)
def test_shipped(path: Path) -> None:
    assert load(path).name == path.stem
    first = path.read_text().splitlines()[0]
    schema = path.parent / first.removeprefix("# yaml-language-server: $schema=")
    assert schema.resolve() == ROOT / "configs" / "charter.schema.json"


def test_every_charter_that_is_loaded_again_has_the_same_fingerprint(least: Path) -> None:
    charter = load(least)
    assert charter.fingerprint == load(least).fingerprint
    assert Charter.model_validate_json(charter.model_dump_json()) == charter


def test_words_stay_words() -> None:
    charter = load(SAMPLES / "valid/words_of_yaml_1_1.yaml")
    assert charter.experience.say == {"true": "ja", "false": "nein", "on": "an"}
    assert charter.goal.target.column == "on"
    assert charter.goal.target.positive == "no"
    assert set(charter.data.columns) == {"no", "1"}


def test_missing_file_names_those_there_are(least: Path) -> None:
    message = refused(least.with_name("y.yaml"))
    assert "found no such file" in message
    assert "x.yaml" in message
    assert "perennial new NAME" in refused(least.parent / "nowhere" / "y.yaml")


def test_a_folder_and_a_data_file_are_no_charters(tmp_path: Path) -> None:
    assert "Name a YAML file." in refused(tmp_path)
    binary = tmp_path / "x.yaml"
    binary.write_bytes(b"name: x\n\xff\xfe")
    assert "line 2: found bytes that are not UTF-8" in refused(binary)
    binary.write_bytes(b"a" * 1_000_001)
    assert "Is this a data file?" in refused(binary)


def test_aliases_of_aliases_end(tmp_path: Path) -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    path = tmp_path / "x.yaml"
    path.write_text("\n".join(lines))
    assert "endless aliases" in refused(path)
    path.write_text("a: &a [*a]\n")
    assert "endless nesting" in refused(path)


def test_overrides_of_any_depth(least: Path) -> None:
    charter = load(
        least,
        [
            "constraints.train_minutes=1",
            "tuning.families=[linear, tree]",
            "tuning.families.1=forest",
            "data.joins=[{source: {kind: csv, path: w.csv}, on: [id]}]",
            "data.joins.0.unmatched_share=0.5",
            "data.joins[0].on[1]=day",
            'data.columns."a.b".role=category',
            "experience.say.true=likely late",
            "goal.because='a: b'",
            "data.until=2024-01-01",
            "data.time=t",
        ],
    )
    assert charter.constraints.train_minutes == 1
    assert charter.tuning.families == ("linear", "forest")
    assert charter.data.joins[0].unmatched_share == 0.5
    assert charter.data.joins[0].on == ("id", "day")
    assert charter.data.columns["a.b"].role == "category"
    assert charter.experience.say == {"true": "likely late"}
    assert charter.goal.because == "a: b"
    assert charter.data.time == "t"


@pytest.mark.parametrize(
    ("override", "fragment"),
    [
        ("constraints.train_minute=1", "Did you mean constraints.train_minutes?"),
        ("constraints.train_minutes=soon", "found soon, wanted a number"),
        ("constraint.train_minutes=1", "Did you mean constraints?"),
        ("goal.target.task=binry", "Did you mean binary?"),
        ("name.x=1", "found a single value in name"),
        ("data.key.0=y", "found a single value"),
        ("evaluation.slices=[y]", "found the target y, wanted other columns"),
        ("train_minutes", "--set constraints.train_minutes=1"),
        ("=1", "--set constraints.train_minutes=1"),
        ("goal.question=a: b", "Put a text that holds a colon in quotes."),
        ("goal.question='a", "goal.question='"),
    ],
)
def test_wrong_overrides_are_refused_like_typos(least: Path, override: str, fragment: str) -> None:
    least.write_text(LEAST.replace("path: x.csv}", "path: x.csv}, key: k"))
    if "key" not in override:
        least.write_text(LEAST)
    message = refused(least, override)
    assert fragment in message
    assert f"--set {override}" in message
