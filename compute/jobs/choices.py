"""What may be chosen of a computation, by who asks for it and in a job alike."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from lake.errors import InvalidInputError

COMMIT_EVERY_S = 60.0
COMMIT_ATOMS = 2_000_000
MOST_SHARDS = 1_000_000


@dataclass(frozen=True)
class Shard:
    """One of several parts of the structures, told apart by their ids; ``number`` begins at 1."""

    number: int = 1
    of: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """The shard ``K/N``.

        Raises
        ------
        InvalidInputError
            It is not two whole numbers with 1 <= K <= N, or N is beyond `MOST_SHARDS`.
        """
        number, slash, of = text.partition("/")
        if not (slash and number.isascii() and number.isdigit() and of.isascii() and of.isdigit()):
            raise InvalidInputError(f"Shard {text!r}: expected K/N, e.g. 1/8.")
        if len(of) > len(str(MOST_SHARDS)) or int(of) > MOST_SHARDS:
            raise InvalidInputError(
                f"Shard {text[:40]}: expected K/N with N of at most {MOST_SHARDS:,}, e.g. 1/8."
            )
        shard = cls(int(number), int(of))
        if not 1 <= shard.number <= shard.of:
            raise InvalidInputError(f"Shard {text}: expected K from 1 to N, e.g. 1/8 … 8/8.")
        return shard

    def part(self, number: int, of: int) -> Shard:
        """Part `number` of `of`, from 1, of this shard."""
        return Shard(self.number + (number - 1) * self.of, self.of * of)

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


@dataclass(frozen=True)
class Limits:
    """How much is computed at once, and how often it is committed.

    ``max_edges`` and ``batch`` bound a batch of structures; None lets the worker find out.
    ``max_memory`` bounds the worker's own memory, in bytes.
    """

    max_edges: int | None = None
    batch: int | None = None
    max_memory: int | None = None
    commit_every_s: float = COMMIT_EVERY_S
    commit_atoms: int = COMMIT_ATOMS


@dataclass(frozen=True, kw_only=True)
class Choices:
    """Which structures, what of them, and how.

    Parameters
    ----------
    where
        SQL condition on the structures, over the columns of structures and labels.
    latents
        Layers to keep: ``none``, ``last`` or ``all``.
    latents_dtype
        What they are kept as: ``float32`` or ``float16``. One type per layer, dataset and model.
    device
        ``auto``, ``cpu``, ``cuda`` for every GPU there is, or ``cuda:n``.
    dtype
        Type to compute in: ``float32`` or ``float64``; that of the model by default.
    only_failed
        Only structures that failed earlier.
    """

    where: str | None = None
    latents: str = "none"
    latents_dtype: str = "float32"
    device: str = "auto"
    dtype: str | None = None
    shard: Shard = field(default_factory=Shard)
    limits: Limits = field(default_factory=Limits)
    only_failed: bool = False

    def choices(self) -> dict[str, Any]:
        """These alone, by name."""
        return {each.name: getattr(self, each.name) for each in fields(Choices)}
