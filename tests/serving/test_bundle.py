from __future__ import annotations

import json
from pathlib import Path

import pytest

from charter import Refusal
from serving.bundle import load
from tests.serving import bundles


def test_a_whole_bundle_loads(tmp_path: Path) -> None:
    artifact = load(bundles.write(tmp_path / "b"))
    assert artifact.signature.classes == ("no", "yes")
    assert artifact.manifest.project == "toy"
    assert artifact.model == (tmp_path / "b" / "model.onnx").read_bytes()


@pytest.mark.parametrize("name", ["model.onnx", "signature.json", "decision.json"])
def test_a_changed_file_is_refused(tmp_path: Path, name: str) -> None:
    folder = bundles.write(tmp_path / "b")
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(Refusal, match=f"found {name} changed.*package the model anew"):
        load(folder)


def test_a_changed_paper_is_refused(tmp_path: Path) -> None:
    folder = bundles.write(tmp_path / "b")
    (folder / "card.md").write_text("true words")
    bundles.sign(folder)
    load(folder)
    (folder / "card.md").write_text("other words")
    with pytest.raises(Refusal, match=r"found card\.md changed"):
        load(folder)


def test_an_absent_file_is_refused(tmp_path: Path) -> None:
    folder = bundles.write(tmp_path / "b")
    (folder / "model.onnx").unlink()
    with pytest.raises(Refusal, match=r"found no readable model\.onnx"):
        load(folder)


def test_a_file_that_nobody_signed_is_refused(tmp_path: Path) -> None:
    folder = bundles.write(tmp_path / "b")
    (folder / "weights.bin").write_bytes(b"0")
    with pytest.raises(Refusal, match=r"found weights\.bin"):
        load(folder)


def test_a_bundle_without_its_model_in_the_manifest_is_refused(tmp_path: Path) -> None:
    folder = bundles.write(tmp_path / "b")
    (folder / "model.onnx").unlink()
    bundles.sign(folder)
    with pytest.raises(Refusal, match=r"found no model\.onnx in manifest\.json"):
        load(folder)


@pytest.mark.parametrize("name", ["../outside", "/etc/hostname"])
def test_a_manifest_that_names_files_outside_is_refused(tmp_path: Path, name: str) -> None:
    folder = bundles.write(tmp_path / "b")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][name] = "0" * 64
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(Refusal, match="wanted files inside the folder"):
        load(folder)


@pytest.mark.parametrize("content", ["", "{}", '{"project": "toy", "strange": 1}'])
def test_a_manifest_that_makes_no_sense_is_refused(tmp_path: Path, content: str) -> None:
    folder = bundles.write(tmp_path / "b")
    (folder / "manifest.json").write_text(content)
    with pytest.raises(Refusal, match=r"in manifest\.json"):
        load(folder)


def test_a_folder_without_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"found no manifest\.json.*Take the folder"):
        load(tmp_path)
