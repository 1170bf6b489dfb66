"""The words we speak: one YAML file per project, checked before any compute."""

from charter.charter import Charter
from charter.frozen import Frozen
from charter.refusal import Refusal
from charter.verdict import Verdict, gate

__all__ = ["Charter", "Frozen", "Refusal", "Verdict", "gate"]
