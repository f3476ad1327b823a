"""What would be said of a phrase if nobody had written it.

Only the command that looks for collisions asks this, and only it pays: an index keeps what messages need, and what
it forgets of its phrases once it is made is counted here again.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from knowledge.directions import Row, unit
from knowledge.heads import LeastSquares, gram
from knowledge.labels import Phrase
from knowledge.meaning import Meaning
from knowledge.scoring import Column
from knowledge.search import Index, Places, Table, Vocabularies, asked_views, by_label
from knowledge.spelling import SMOOTHING, Floats, Postings, Spelling, label_by_label


class Hiding:
    """Weighs the phrases of an index, each as if the index did not have it.

    What is reckoned of all phrases together is still reckoned with it: how rare n-grams are, and the mean of a kind.
    """

    def __init__(self, index: Index, phrases: Sequence[Phrase], vocabularies: Vocabularies) -> None:
        """Count again what the index was made of: its phrases, in their order then, and its vocabularies."""
        _, order, self._owners = by_label(phrases)
        self._index, self._phrases = index, phrases
        self._rows = np.argsort(order)
        texts = [vocabularies.views(phrases[place].text) for place in order]
        self._letters = _Rows(index.letters, [text for text, _ in texts], self._owners)
        self._consonants = _Rows(index.consonants, [text for _, text in texts], self._owners)
        self._fit = _Fit(self._letters, len(index.labels))
        self._directions: _Directions | None = None
        if index.meaning is not None:
            embedded = np.array([phrases[place].embedded for place in order], dtype=np.bool_)
            self._embedded_rows = np.cumsum(embedded) - 1
            self._directions = _Directions(index.meaning, self._owners[embedded])

    def without(self, place: int, vector: Row | None) -> Table:
        """Weigh all labels for the phrase at a place, as if nobody had written it; one row a label, as in `Evidence`.

        `vector` may be of a phrase that is not embedded: then nothing of the vectors has to be hidden.
        """
        phrase, row = self._phrases[place], int(self._rows[place])
        label = int(self._owners[row])
        table = self._index.evidence(phrase.text, phrase.kind, vector).table
        letters, consonants = asked_views(phrase.text, phrase.kind)
        asked = self._index.letters.weighed(letters)
        table[label, Column.LETTERS] = self._letters.nearest(row, *asked)
        table[:, Column.FIT] = self._fit.without(row, *asked)
        table[label, Column.CONSONANTS] = self._consonants.nearest(row, *self._index.consonants.weighed(consonants))
        if vector is not None and self._directions is not None and phrase.embedded:
            self._directions.hide(int(self._embedded_rows[row]), table)
        return table


class _Rows:
    """One view of the phrases, each with the weights of its n-grams. They come in the order of their labels."""

    def __init__(self, spelling: Spelling, texts: Sequence[str], owners: Places) -> None:
        self.spelling, self.owners = spelling, owners
        self.grams, self.rows, self.weights = spelling.own(texts)
        self._starts = np.searchsorted(self.rows, np.arange(len(texts) + 1))

    def of(self, first: int, last: int) -> slice:
        """Give where the n-grams of some rows stand, from the first to before the last."""
        return slice(int(self._starts[first]), int(self._starts[last]))

    def nearest(self, row: int, ids: NDArray[np.int64], weights: Floats) -> float:
        """Give the similarity of a text with the nearest phrase of the row's label, but for the row itself."""
        label = self.owners[row]
        first, last = np.searchsorted(self.owners, [label, label + 1]).tolist()
        asked = np.zeros(self.spelling.size, dtype=np.float32)
        asked[ids] = weights * self.spelling.rows.hold(ids)
        part = self.of(first, last)
        similar = np.bincount(
            self.rows[part] - first, weights=self.weights[part] * asked[self.grams[part]], minlength=last - first
        )
        similar[row - first] = 0
        return float(similar.max())


class _Fit:
    """How often each label has each n-gram, which an index keeps only as what follows from it."""

    def __init__(self, letters: _Rows, labels: int) -> None:
        self._letters = letters
        size = letters.spelling.size
        order = np.argsort(letters.grams, kind="stable")
        grams, owners, sums = label_by_label(
            letters.grams[order], letters.owners[letters.rows[order]], letters.weights[order]
        )
        self._sums = Postings.of(grams, owners, sums, size)
        self._of_gram = np.bincount(grams, weights=sums, minlength=size)
        of_label = np.bincount(owners, weights=sums, minlength=labels)
        self._outside = SMOOTHING * size + of_label.sum() - of_label

    def without(self, row: int, ids: NDArray[np.int64], weights: Floats) -> Floats:
        """Give for every label the fit of a text's n-grams, those of a row not counted."""
        label, part = self._letters.owners[row], self._letters.of(row, row + 1)
        own = np.zeros(self._letters.spelling.size, dtype=np.float32)
        own[self._letters.grams[part]] = self._letters.weights[part]
        outside = self._outside - own.sum() * (np.arange(len(self._outside)) != label)
        # The index leaves out n-grams that speak for very many labels; so does this.
        held = self._letters.spelling.gains.hold(ids)
        telling, of_telling = ids[held], weights[held]
        labels, sums, of_query = self._sums.of_query(telling)
        hidden = own[telling]
        total = (self._of_gram[telling] - hidden)[of_query] + SMOOTHING
        sums = np.where(labels == label, np.maximum(sums - hidden[of_query], 0), sums)
        gains = of_telling[of_query] * (np.log(total) - np.log(total - sums))
        fit = np.bincount(labels, weights=gains, minlength=len(outside)) + weights.sum() * np.log(outside)
        centred: Floats = (fit - fit.mean()).astype(np.float32)
        return centred


class _Directions:
    """The phrases as vectors, with how much each pulls the fitted directions toward itself."""

    def __init__(self, meaning: Meaning, owners: Places) -> None:
        self._rows, self._owners, self._by_middle = meaning.rows, owners, meaning.by_middle
        self._counts = np.bincount(owners)
        # Only of a fit in closed form follows what it would say without a row.
        self._spread: NDArray[np.floating] | None = None
        if isinstance(meaning.head, LeastSquares):
            self._spread = np.linalg.inv(gram(self._rows, owners, self._counts))

    def hide(self, row: int, table: Table) -> None:
        """Change what the table says by meaning to what it would say without the row.

        A head fitted by likelihood is left out.
        """
        query, label = self._rows[row], self._owners[row]
        mine = np.flatnonzero(self._owners == label)
        left = self._rows[mine[mine != row]]
        middle = table[label, Column.CENTROID] = unit(left.sum(axis=0, keepdims=True))[0] @ query
        table[label, Column.NEAREST] = middle if self._by_middle else (left @ query).max() if len(left) else 0.0
        if self._spread is None:
            table[:, Column.HEAD] = 0
            return
        # What a least-squares fit says of a row it has not seen follows from what it says and the row's leverage.
        given = np.append(query.astype(np.float64), 1.0)
        leverage = float(given @ self._spread @ given) / self._counts[label]
        target = np.zeros(len(table))
        target[label] = 1
        table[:, Column.HEAD] = (table[:, Column.HEAD] - leverage * target) / (1 - leverage)
