"""The draft as YAML, with what was found and what only people know as comments."""

from __future__ import annotations

import json
from collections.abc import Iterator

import yaml

from charter.data import FileSource
from charter.document import value
from tasks.drafting.facts import Fact, Looked, day
from tasks.drafting.guesses import Guesses
from tasks.drafting.persons import Persons

LISTED = 60
"""Columns that are described one by one."""
CLASSES = 20
"""Whole numbers with at most so many values may be classes."""


def worded(name: str, source: FileSource, looked: Looked, guesses: Guesses) -> str:
    """The charter of the project, ready to load."""
    return "\n".join(
        [
            "# yaml-language-server: $schema=charter.schema.json",
            f"# Drafted from {looked.rows:,} rows. It trains as it stands; each line that begins",
            "# with a question is something the data cannot say.",
            f"name: {name}",
            "",
            *_goal(looked, guesses),
            "",
            "# experience:",
            "#   audience:  # Who reads the answer? Stands on the model card.",
            "",
            "constraints:",
            "  train_minutes: 2",
            "  # interpretable: true  # Does somebody have to follow each decision?",
            "",
            *_evaluation(looked, guesses),
            "",
            *_data(source, looked, guesses),
            "",
            *_people(guesses.persons),
            "",
        ]
    )


def word(text: str) -> str:
    """A text as it stands in YAML, quoted where it would mean something else."""
    try:
        plain = value(f"[{text}]") == [text] and text == text.strip() and text[:1] not in "#&*!|>%@"
    except yaml.YAMLError:
        plain = False
    return text if plain and ": " not in text and " #" not in text else _quoted(text)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=not text.isprintable())


def comment(text: str) -> str:
    """A text inside of a comment: one line, whatever the text holds."""
    return "".join(mark if mark.isprintable() else "·" for mark in text)


def _goal(looked: Looked, guesses: Guesses) -> Iterator[str]:
    fact = looked.fact(guesses.target)
    yield "goal:"
    yield '  question: ""  # Which question does the model answer, as a person would ask it?'
    yield '  because: ""  # Why a model, and what is a right answer worth?'
    yield '  acts_on_it: ""  # Who does something differently because of the answer?'
    why = f" ({guesses.target_why})" if guesses.target_why else ""
    yield f"  # {comment(_described(fact, looked))}"
    yield f"  target: {{column: {word(fact.name)}}}  # Is this what is to be predicted?{why}"
    yield from _costs(fact)


def _costs(fact: Fact) -> Iterator[str]:
    if fact.distinct == 2:
        yield "  # What does an error cost, in any one unit? Sets the threshold."
        yield "  # cost: {false_alarm: 1, miss: 1}"
    elif fact.kind == "number" or (fact.kind == "whole" and fact.distinct > CLASSES):
        yield "  # What does one unit too much cost, and one too little?"
        yield "  # cost: {over: 1, under: 1}"
    else:
        labels = ", ".join(f"{word(label)}: 1" for label in fact.examples)
        yield "  # What does it cost to miss a row of each class?"
        yield comment(f"  # cost: {{missed: {{{labels}}}}}")


def _evaluation(looked: Looked, guesses: Guesses) -> Iterator[str]:
    yield "evaluation:"
    yield "  # Which value must be reached at least, and whose groups must not be worse off?"
    yield "  # minimum: {}"
    yield "  # slices: []"
    if guesses.time:
        yield "  # Later rows test earlier ones: about the last fifth."
        yield f"  split: {{by: time, holdout: {guesses.holdout}}}"
    else:
        yield "  # Do rows belong together (one person, one machine)? Then: {by: group, column: …}"
        yield "  split: {by: random, holdout: 0.2}"


def _data(source: FileSource, looked: Looked, guesses: Guesses) -> Iterator[str]:
    yield "data:"
    said = source.model_dump(exclude_defaults=True)
    clause = ", ".join(f"{key}: {_mark(text)}" for key, text in said.items())
    yield f"  source: {{{clause}}}"
    if looked.unreadable:
        yield f"  # {looked.unreadable:,} lines could not be read; they will be in quarantine."
    yield "  # Which columns name a row? No two rows may share them."
    yield f"  key: [{word(guesses.key)}]" if guesses.key else "  # key: []"
    yield from _time(looked, guesses)
    yield "  # Which columns are known only after the prediction is made? They are never inputs."
    for name in guesses.copies:
        yield comment(f"  # {name} tells {guesses.target} exactly: is it known when predicting?")
    yield f"  known_later: [{', '.join(map(word, guesses.copies))}]"
    yield from _columns(looked, guesses)


def _people(persons: Persons) -> Iterator[str]:
    """Clauses that only people can decide on: as comments, since names need a key."""
    if not persons:
        yield "# Are the rows about people? Then see `privacy` and `fairness` in the README."
        return
    names = ", ".join(word(name) for name, _ in persons.names)
    yield "# Are these rows about people? Then take the # away and set the key for names:"
    yield '# export PERENNIAL_KEY="k1:$(openssl rand -hex 32)"'
    yield "# privacy:"
    yield '#   purpose: ""  # What did they agree to?'
    yield "#   Which columns name a person? They are stored as keyed hashes, and are never inputs."
    for name, why in persons.names:
        yield comment(f"#   - {name}: {why}")
    yield comment(f"#   identifiers: [{names}]")
    yield "#   Which may single a person out, taken together?"
    yield comment(f"#   quasi_identifiers: [{', '.join(map(word, persons.together))}]")
    yield "# fairness:"
    yield "#   Whose groups must be treated alike? These columns will be no inputs."
    yield comment(f"#   sensitive: [{', '.join(map(word, persons.alike))}]")


def _mark(text: str) -> str:
    return _quoted(text) if len(text) == 1 else word(text)


def _time(looked: Looked, guesses: Guesses) -> Iterator[str]:
    if guesses.time:
        fact = looked.fact(guesses.time)
        span = f"from {day(fact.low)} to {day(fact.high)}"
        yield f"  # Does this say when a row became known? It runs {span}."
        yield f"  time: {word(guesses.time)}"
        return
    yield "  # Which column says when a row became known? Then later rows test earlier ones."
    for fact in looked.facts:
        if fact.kind == "time":
            yield comment(f"  # {fact.name} holds times, but they do not divide the rows well.")
    yield "  # time:"


def _columns(looked: Looked, guesses: Guesses) -> Iterator[str]:
    yield "  # What was found; a role (number, category, text, time, flag, identifier, ignore)"
    yield "  # says more than the values do:"
    for fact in looked.facts[:LISTED]:
        yield f"  # - {comment(_described(fact, looked))}"
    if len(looked.facts) > LISTED:
        yield f"  # - and {len(looked.facts) - LISTED} more"
    if guesses.identifiers:
        yield "  columns:"
    for name in guesses.identifiers:
        yield f"    {word(name)}: {{role: identifier}}  # Different in every row: only a name?"


def _described(fact: Fact, looked: Looked) -> str:
    missing = f", {fact.missing / looked.rows:.1%} missing" if fact.missing else ""
    if fact.kind == "time":
        return f"{fact.name}: times from {day(fact.low)} to {day(fact.high)}{missing}"
    kinds = {"whole": "whole numbers", "number": "numbers", "flag": "true or false"}
    kind = kinds.get(fact.kind, "texts")
    span = f", {fact.low:,} to {fact.high:,}" if isinstance(fact.low, int | float) else ""
    if fact.kind == "flag" or (fact.distinct > CLASSES and span):
        return f"{fact.name}: {kind}{span if fact.kind != 'flag' else ''}{missing}"
    return f"{fact.name}: {kind}, {fact.distinct:,} different{_shown(fact)}{missing}"


def _shown(fact: Fact) -> str:
    """The most frequent values; not of texts with many, which may be names of people."""
    if not 0 < fact.distinct <= CLASSES:
        return ""
    return f" (most often {', '.join(example[:30] for example in fact.examples)})"
