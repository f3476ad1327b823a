"""The method beside its peers, on the same phrases and the same messages, in one run: `python -m bench.peers`.

Peers, as one would put them together in an afternoon: tf-idf over words and character n-grams with logistic
regression, and BM25 over words, with the usual parameters. They need scikit-learn, which the program does not:
`pip install scikit-learn` in an environment of its own beside the program's libraries.
"""

import asyncio
import math
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union

from knowledge import evaluating
from knowledge.cleaning import clean
from knowledge.evaluating import Line
from knowledge.files import STARTER, read_folder
from knowledge.labels import SIGNALS, all_phrases
from knowledge.own_model import GraphEmbedder
from knowledge.reader import Reader
from knowledge.search import Vocabularies
from knowledge.understanding import Understander

DEVELOPMENT = Path(__file__).resolve().parent.parent / "tests" / "knowledge" / "development.jsonl"
K1, B = 1.2, 0.75


def told(name: str, ranked: Sequence[Sequence[str]], lines: Sequence[Line], seconds: float) -> None:
    """Print how often the right entry came first and among three."""
    first = sum(line.topic == found[0] for line, found in zip(lines, ranked, strict=True)) / len(lines)
    three = sum(line.topic in found[:3] for line, found in zip(lines, ranked, strict=True)) / len(lines)
    each = 1000 * seconds / len(lines)
    print(f"{name:<32} top1 {100 * first:5.1f}   top3 {100 * three:5.1f}   {each:6.2f} ms a message")


def words(text: str) -> list[str]:
    """Give the words of a text; each Chinese character is one."""
    return re.findall(r"[\u3400-\u9fff]|[^\W\u3400-\u9fff]+", text.casefold())


def bm25(texts: Sequence[str], labels: Sequence[str]) -> Callable[[str], list[str]]:
    """Make a ranking of labels by their best phrase."""
    counted = [Counter(words(text)) for text in texts]
    average = sum(sum(counts.values()) for counts in counted) / len(counted)
    seen = Counter(word for counts in counted for word in counts)
    postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for place, counts in enumerate(counted):
        length = sum(counts.values())
        for word, count in counts.items():
            idf = math.log(1 + (len(counted) - seen[word] + 0.5) / (seen[word] + 0.5))
            weight = idf * count * (K1 + 1) / (count + K1 * (1 - B + B * length / average))
            postings[word].append((place, weight))

    def rank(text: str) -> list[str]:
        scores: dict[int, float] = defaultdict(float)
        for word in set(words(text)):
            for place, weight in postings.get(word, ()):
                scores[place] += weight
        best: dict[str, float] = {}
        for place, score in scores.items():
            best[labels[place]] = max(best.get(labels[place], 0.0), score)
        return [*sorted(best, key=best.__getitem__, reverse=True)[:3], ""]

    return rank


async def ours(lines: Sequence[Line]) -> tuple[list[tuple[str, ...]], float]:
    """Rank with the program's own method."""
    entries, _ = read_folder(STARTER)
    phrases = all_phrases(entries)
    folder = TemporaryDirectory(prefix="sportello-bench-")
    model = GraphEmbedder(Path(folder.name), timeout=60)
    vectors = await model.embed([phrase.text if phrase.embedded else "" for phrase in phrases])
    reader = Reader.of(entries, phrases, vectors, Vocabularies(), None, calibrated=False)
    understander = Understander(model)
    understander.adopt(reader.with_calibration(reader.fitted()))
    began = time.perf_counter()
    asked = await evaluating.ask_all(understander, lines)
    await model.close()
    return [(*one.ranked, "") for one in asked], time.perf_counter() - began


def main() -> None:
    """Measure all on the development set's messages in scope."""
    lines = [line for line in evaluating.read_lines(DEVELOPMENT) if line.in_scope]
    entries, _ = read_folder(STARTER)
    phrases = [phrase for phrase in all_phrases(entries) if phrase.label not in SIGNALS]
    texts, labels = [phrase.text for phrase in phrases], [phrase.label for phrase in phrases]
    asked = [clean(line.text) for line in lines]

    began = time.perf_counter()
    vectoriser = make_union(
        TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2)),
        TfidfVectorizer(sublinear_tf=True, analyzer="char_wb", ngram_range=(2, 5)),
    )
    classifier = make_pipeline(vectoriser, LogisticRegression(C=20, max_iter=300)).fit(texts, labels)
    print(f"fitting tf-idf + logistic regression took {time.perf_counter() - began:.1f} s")
    began = time.perf_counter()
    classes = classifier.classes_
    ranked = [classes[np.argsort(-classifier.predict_proba([text])[0])[:3]].tolist() for text in asked]
    told("tf-idf + logistic regression", ranked, lines, time.perf_counter() - began)

    rank = bm25(texts, labels)
    began = time.perf_counter()
    ranked = [rank(text) for text in asked]
    told("BM25 over words", ranked, lines, time.perf_counter() - began)

    found, seconds = asyncio.run(ours(lines))
    told("ours", found, lines, seconds)


if __name__ == "__main__":
    main()
