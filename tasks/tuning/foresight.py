"""The space that the constraints leave: what is foreseen to be too large or too slow is not tried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from charter.constraints import Constraints
from charter.goal import Task
from tasks.models.base import Choice, Family, Real, Space, Value, Whole
from tasks.models.foreseen import WITHIN, WITHIN_TIME, Foreseen, Shape
from tasks.recipe.extent import Extent

STEPS = 24
"""So fine is the search for how far a dimension may go."""

Params = Mapping[str, Value]


@dataclass(frozen=True)
class Foresight:
    """What one family would weigh with these data, and what the charter allows.

    Only what breaks a limit even if it were foreseen `WITHIN` times too high is left out: the rest
    is weighed once it is fitted.
    """

    family: Family
    task: Task
    shape: Shape
    extent: Extent
    constraints: Constraints

    def weight(self, params: Params) -> Foreseen:
        """Of the whole graph."""
        shape = replace(self.shape, columns=self.extent.columns)
        return self.family.foresee(self.task, params, shape) + self.extent.weight

    def broken(self, params: Params) -> str:
        """Which constraint these parameters would break, in words; empty where none for sure."""
        found = self.weight(params)
        size, limit = found.bytes / 1e6, self.constraints.model_mb
        if size > WITHIN * limit:
            return f"too large: about {size:.3g} MB foreseen, {limit:g} MB allowed; not fitted"
        took, most = found.micros / 1e3, self.constraints.latency_p99_ms
        if took > WITHIN_TIME * most:
            return f"too slow: about {took:.3g} ms a row foreseen, {most:g} ms allowed; not fitted"
        return ""

    def lightest(self, space: Space, start: Params) -> dict[str, Value]:
        """The corner of the space with the smallest model."""
        corner: dict[str, Value] = {}
        for name, part in space.items():
            ends: list[Value] = [*part.grid] if isinstance(part, Choice) else [part.low, part.high]
            corner[name] = min(ends, key=lambda end: self.weight({**start, name: end}).bytes)
        return corner

    def within(self, space: Space, start: Params) -> Space:
        """The space without the ends that no other parameters could make allowed."""
        light = self.lightest(space, start)
        if not space or self.broken(light):
            return space
        return {name: self._cut(name, part, light) for name, part in space.items()}

    def _cut(self, name: str, part: Whole | Real | Choice, light: Params) -> Whole | Real | Choice:
        if isinstance(part, Choice):
            allowed = tuple(v for v in part.grid if not self.broken({**light, name: v}))
            return replace(part, grid=allowed)
        heavy = part.high if light[name] == part.low else part.low
        far = self._furthest(name, light, float(heavy), isinstance(part, Whole))
        if far == heavy:
            return part
        ends = sorted((far, float(light[name])))  # type: ignore[arg-type]
        grid = tuple(v for v in part.grid if ends[0] <= v <= ends[1]) or (ends[0],)
        if isinstance(part, Whole):
            whole = tuple(int(v) for v in grid)
            return replace(part, low=int(ends[0]), high=int(ends[1]), grid=whole)
        return replace(part, low=ends[0], high=ends[1], grid=grid)

    def _furthest(self, name: str, light: Params, heavy: float, whole: bool) -> float:
        """The value nearest to the heavy end that is allowed with all else at its lightest."""
        near = float(light[name])  # type: ignore[arg-type]
        if not self.broken({**light, name: heavy}):
            return heavy
        good, bad = near, heavy
        for _ in range(STEPS):
            middle = round((good + bad) / 2) if whole else (good + bad) / 2
            if self.broken({**light, name: middle}):
                bad = middle
            else:
                good = middle
        return good

    def begin(self, space: Space, start: Params) -> dict[str, Value]:
        """The start, moved towards the lightest corner until it is allowed."""
        light, found = self.lightest(space, start), dict(start)
        for step in range(1, STEPS):
            if not self.broken(found):
                break
            found = {**start, **{name: _between(space[name], start[name], light[name], step / STEPS)
                                 for name in space}}  # fmt: skip
        return found


def _between(part: Whole | Real | Choice, start: Value, light: Value, share: float) -> Value:
    if isinstance(part, Choice):
        return light if share > 0.5 else start
    one, other = float(start), float(light)  # type: ignore[arg-type]
    middle = one * (other / one) ** share if min(one, other) > 0 else one + share * (other - one)
    return round(middle) if isinstance(part, Whole) else middle
