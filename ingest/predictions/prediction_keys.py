"""Which keys of a frame hold predictions, and not the reference values beside them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from ingest.labels.label_keys import LabelRules
from lake.errors import InvalidInputError

LABELS = ("energy", "forces", "stress", "virial")
_STEMS = {
    "energy": "energy",
    "forces": "forces?",
    "stress": "stress",
    "virial": "virials?",
}
_MAKERS = "mace|nequip|allegro|pred|predicted|prediction|model|ml|mlip|mlff|mlp|nn|calc|calculated"
PLAIN, MARKED, OWN = "plain", "marked", "own"


@dataclass(frozen=True)
class Choice:
    """Keys that hold the predictions, by label.

    ``rank`` says how they are told from reference values: `OWN` by the model's name, `MARKED` by
    a word such as MACE or pred, `PLAIN` by nothing, so that they are the only ones.
    """

    keys: tuple[tuple[str, str], ...] = ()
    rank: str = MARKED


@dataclass(frozen=True)
class PredictionKeys:
    """How the keys of predictions are called.

    Parameters
    ----------
    model
        Name of the model: ``NAME_forces`` are its forces.
    key_map
        Key of the file by label; an empty one says that there is none. While it names a key, no
        plain one (``energy``) is taken for another label: it may be the reference.
    """

    model: str
    key_map: Mapping[str, str]

    def choose(
        self, info_keys: Collection[str], array_names: Collection[str], place: str
    ) -> Choice:
        """The keys of frames that have these info keys and per-atom vectors.

        Raises
        ------
        InvalidInputError
            Two keys may hold one label.
        """
        mapped = {label: key for label, key in self.key_map.items() if key}
        chosen = {
            label: key
            for label, key in mapped.items()
            if key in (array_names if label == "forces" else info_keys)
        }
        open_labels = [label for label in LABELS if label not in self.key_map]
        for rank in (OWN, MARKED, PLAIN):
            if rank == PLAIN and mapped:
                break
            found = {
                label: self._named(label, rank, array_names if label == "forces" else info_keys)
                for label in open_labels
            }
            if any(found.values()):
                chosen |= {label: _one(label, keys, place) for label, keys in found.items() if keys}
                return Choice(tuple(sorted(chosen.items())), rank)
        return Choice(tuple(sorted(chosen.items())))

    def rules(self, choice: Choice, rules: LabelRules) -> LabelRules:
        """The rules that take these keys, and none else, for labels."""
        return LabelRules(dict.fromkeys(LABELS, "") | dict(choice.keys), rules.units)

    def _named(self, label: str, rank: str, keys: Iterable[str]) -> list[str]:
        pattern = _pattern(_STEMS[label], rank, self.model)
        return sorted(key for key in keys if pattern.fullmatch(key))


def check_choices(choices: Iterable[Choice]) -> dict[str, str]:
    """The key of every label, the same for all frames.

    Raises
    ------
    InvalidInputError
        Frames differ in the key of a label, or in how predictions are told from references.
    """
    choices = [choice for choice in set(choices) if choice.keys]
    used: dict[str, set[str]] = {}
    for choice in choices:
        for label, key in choice.keys:
            used.setdefault(label, set()).add(key)
    if len({choice.rank for choice in choices}) > 1:
        keys = sorted({key for choice in choices for _, key in choice.keys})
        raise InvalidInputError(
            f"Frames differ in what is predicted: {', '.join(keys)}. Some of these may be "
            "reference values. Say which hold the predictions, e.g. --map forces=MACE_forces. "
            "Nothing was committed."
        )
    for label, names in used.items():
        if len(names) > 1:
            raise _ambiguous("Some frames and others", label, sorted(names))
    return {label: next(iter(names)) for label, names in sorted(used.items())}


def _pattern(stem: str, rank: str, model: str) -> re.Pattern[str]:
    if rank == PLAIN:
        return re.compile(stem, re.IGNORECASE)
    makers = re.escape(model) if rank == OWN else f"(?:{_MAKERS})"
    text = rf"{makers}[_\-. ]?{stem}|{stem}[_\-. ]?{makers}"
    return re.compile(text, re.IGNORECASE)


def _one(label: str, keys: list[str], place: str) -> str:
    if len(keys) > 1:
        raise _ambiguous(place, label, keys)
    return keys[0]


def _ambiguous(place: str, label: str, keys: list[str]) -> InvalidInputError:
    return InvalidInputError(
        f"{place}: the {label} predicted may be {' or '.join(keys)}. One key expected for all "
        f"frames. Say which: --map {label}={keys[0]}. Nothing was committed."
    )
