"""From texts to vectors: the contract. The models are in `own_model` and `served`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from knowledge.directions import Directions

Vectors = NDArray[np.float32]

# Of the vectors of the model within; those of another one may be longer.
DIMENSIONS: Final = 384


class EmbedderUnavailableError(Exception):
    """The model gave no vectors. Matching goes on by letters alone."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """Texts as a model reads them: one vector for each, and the directions of the tokens of each."""

    vectors: Vectors
    words: tuple[Directions, ...]


class Embedder(Protocol):
    """Turns texts into vectors of unit length. `model` changes whenever its vectors would.

    `has_model` is false only where no model is wanted; `has_words` where a model tells nothing of single words.
    `dimensions` is how long a row is, None where only the answers tell.
    """

    model: str
    has_model: bool
    has_words: bool
    dimensions: int | None

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Give one row for each text, all of the same length. Raises EmbedderUnavailableError."""

    async def embed_words(self, texts: Sequence[str]) -> Embedded:
        """Give the rows, and the words of each text. Raises EmbedderUnavailableError, also where there are none."""

    async def close(self) -> None:
        """Let the model go."""


class WithoutWords:
    """What an embedder is made of that tells nothing of single words."""

    has_words = False

    async def embed_words(self, texts: Sequence[str]) -> Embedded:
        """Refuse."""
        raise EmbedderUnavailableError(f"no words of {len(texts)} texts: this model tells none")


class NoEmbedder(WithoutWords):
    """Stands where no model is wanted: matching is by letters alone."""

    model = "none"
    has_model = False
    dimensions: int | None = None

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Refuse."""
        raise EmbedderUnavailableError(f"no model for {len(texts)} texts")

    async def close(self) -> None:
        """Do nothing."""
