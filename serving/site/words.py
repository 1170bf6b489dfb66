"""The answer in the audience's words: what it is called, and how certain it is."""

from __future__ import annotations

from typing import Any

from serving.signature import Decision, Signature

YES = {"true", "yes", "1", "1.0", "y", "t"}
NO = {"false", "no", "0", "0.0", "n", "f"}

MEASURES = {
    "roc_auc": ("ROC AUC", "how often it tells two cases apart; guessing has 0.5, 1 is perfect"),
    "average_precision": ("Average precision", "how clean its alarms are, over all thresholds"),
    "log_loss": ("Log loss", "how far its chances are from what happened; smaller is better"),
    "brier": (
        "Brier score",
        "squared distance of its chances from what happened; smaller is better",
    ),
    "accuracy": ("Right answers", "share of all cases"),
    "balanced_accuracy": ("Right answers, balanced", "each outcome counts the same, however rare"),
    "f1": ("F1", "alarms that were right and cases that were found, in one number"),
    "cost": ("Cost", "of its errors per case, at the prices of the charter; smaller is better"),
    "rmse": ("RMSE", "how far off it is, large errors counting more; smaller is better"),
    "mae": ("Mean error", "how far off it is on average; smaller is better"),
    "r2": ("R²", "share of the differences that it explains; 1 is perfect"),
}


def named(measure: str) -> str:
    """What a measure is called."""
    return MEASURES.get(measure, (measure.replace("_", " "), ""))[0]


def meaning(measure: str) -> str:
    """What a measure says, for somebody who meets it for the first time."""
    return MEASURES.get(measure, ("", ""))[1]


def outcome(signature: Signature, label: str) -> str:
    """What a class is called when it has happened: `late` and `not late` for a yes or no."""
    target = signature.target.replace("_", " ")
    if len(signature.classes) == 2 and all(one.lower() in YES | NO for one in signature.classes):
        return target if label.lower() in YES else f"not {target}"
    return signature.say.get(label, label) if len(signature.classes) > 2 else label


def certainty(
    signature: Signature, decision: Decision, charter: dict[str, Any], scorecard: dict[str, Any]
) -> list[str]:
    """Sentences that say how an answer comes about and how far it can be trusted."""
    said = [_rule(signature, decision, charter), _off(signature, scorecard)]
    return [sentence for sentence in said if sentence]


def _rule(signature: Signature, decision: Decision, charter: dict[str, Any]) -> str:
    """When it decides for which class, where that is not simply the likeliest."""
    cost = charter.get("goal", {}).get("cost", {})
    if decision.threshold is not None:
        positive = signature.classes[1]
        word = signature.say.get(positive, positive)
        said = f"It says “{word}” from a chance of {decision.threshold * 100:.0f} % on"
        miss, alarm = cost.get("miss") or 1, cost.get("false_alarm") or 1
        if miss == alarm:
            return f"{said}."
        return f"{said}, since {_prices(miss, alarm)}."
    heavy = {name: price for name, price in (cost.get("missed") or {}).items() if price != 1}
    if decision.weights and heavy:
        told = ", ".join(f"{signature.say.get(k, k)} {v:g}" for k, v in heavy.items())
        return f"What it costs to miss an answer counts, too: {told}, each other one 1."
    return ""


def _prices(miss: float, alarm: float) -> str:
    if miss > alarm:
        return f"a miss costs {miss / alarm:.2g} times as much as a false alarm"
    return f"a false alarm costs {alarm / miss:.2g} times as much as a miss"


def _off(signature: Signature, scorecard: dict[str, Any]) -> str:
    """How far off it is, as measured on rows that it had never seen."""
    error = scorecard.get("calibration_error")
    if signature.classes and error is not None:
        return (
            "On cases it had never seen, what it gave a chance happened that often, "
            f"within {max(error * 100, 0.1):.2g} percentage points on average."
        )
    found = {one["name"]: one["value"] for one in scorecard.get("measures", [])}
    if "mae" in found:
        return f"On cases it had never seen, it was off by {found['mae']:.3g} on average."
    return ""
