"""What goes into the bundle beside the graph, and the manifest that seals it all."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from charter import Charter, Frozen
from serving.bundle import MANIFEST, Manifest, sha256
from serving.golden import Golden
from serving.home import place
from tasks.explore import Profile
from tasks.lake import Table
from tasks.packaging import lineage
from tasks.split import Rows, Split

if TYPE_CHECKING:
    from tasks.engineer import Recipe
    from tasks.evaluate import Scorecard
    from tasks.package import Bundle
    from tasks.tune import Study

MODEL = "model.onnx"
RECORD = "bundle.json"


@dataclass(frozen=True)
class Papers:
    """Everything that is known about the model."""

    charter: Charter
    table: Table
    profile: Profile
    split: Split
    recipe: Recipe
    study: Study
    scorecard: Scorecard
    sources: tuple[Table, ...] = ()
    """What the table was made of."""
    model: str = ""
    """The fitted pipeline (skops file, relative to the root)."""
    until: float | None = None
    """The latest `data.time` among the rows that it was fitted on, in seconds since 1970."""
    judged: Bundle | None = None
    """What the scorecard speaks of, where this is its refit."""

    def contract(self, folder: Path) -> None:
        """What serving needs: the signature and the decision."""
        _write(folder / "signature.json", self.recipe.signature)
        _write(folder / "decision.json", self.scorecard.decision)

    def equip(self, folder: Path, mixed: Golden) -> None:
        """What devices need."""
        from tasks.packaging.device import PAPER, paper

        found = paper(self.recipe.signature, self.scorecard.decision, mixed)
        (folder / PAPER).write_text(found.model_dump_json() + "\n", encoding="utf-8")

    def remember(self, folder: Path, pipeline: Any, holdout: Rows) -> None:
        """What the monitor needs: the rows before the release, as counts.

        A refit knows the holdout by heart, so it keeps what was said of it by the judged model.
        """
        from tasks.monitoring.reference import FILE, make
        from tasks.packaging.before import before

        if self.judged is not None:
            shutil.copyfile(place(self.judged.where) / FILE, folder / FILE)
            return
        text = make(before(self, pipeline, holdout)).model_dump_json()
        (folder / FILE).write_text(text + "\n", encoding="utf-8")

    def write(self, folder: Path, bundle: Bundle) -> None:
        """What people need: the charter, the scorecard, both papers, the record of the bundle."""
        from tasks.packaging import datasheet
        from tasks.packaging.card import as_html, as_markdown, parts

        _write(folder / "charter.json", self.charter)
        _write(folder / "scorecard.json", self.scorecard)
        _write(folder / RECORD, bundle)
        card = parts(self, bundle)
        title = f"{self.charter.name}: model card"
        (folder / "card.md").write_text(as_markdown(title, card), encoding="utf-8")
        html = as_html(title, self.charter, card)
        (folder / "card.html").write_text(html, encoding="utf-8")
        sheet = datasheet.parts(self)
        title = f"{self.charter.name}: data sheet"
        (folder / "sheet.md").write_text(as_markdown(title, sheet), encoding="utf-8")
        html = as_html(title, self.charter, sheet, datasheet.AFTER)
        (folder / "sheet.html").write_text(html, encoding="utf-8")

    def sign(self, folder: Path, fingerprint: str) -> None:
        """The manifest, with the hash of each file that is there."""
        files = sorted(path for path in folder.iterdir() if path.name != MANIFEST)
        manifest = Manifest(
            project=self.charter.name,
            fingerprint=fingerprint,
            refit_of=self.judged.fingerprint if self.judged else "",
            created=datetime.now(UTC),
            files={path.name: sha256(path.read_bytes()) for path in files},
            charter=self.charter.fingerprint,
            tables={table.where: table.version for table in (*self.sources, self.table)},
            training=self.split.training.fingerprint,
            until=self.until,
            study=self.study.fingerprint,
            family=self.study.family,
            params=self.study.params,
            generated=self.study.generated or "",
            lock=lineage.lock(),
            commit=lineage.commit(),
            libraries=lineage.libraries(),
        )
        _write(folder / MANIFEST, manifest)


def _write(path: Path, record: Frozen) -> None:
    path.write_text(record.model_dump_json(indent=1) + "\n", encoding="utf-8")
