"""The model as a graph for ONNX Runtime, made once from the weights: `python -m knowledge.graph FILE`.

multilingual-e5-small is a BERT encoder (Devlin et al., 2019): twelve layers of attention and of two matrices with
a bend (GELU) between them, the mean of all tokens at the end. Two graphs can be made of the same weights:

- the exact one multiplies with the blocks of four bits as they are stored, numbers in blocks of eight bits;
- the quick one multiplies in eight bits throughout, one scale for each column of a matrix and one for each text, as
  processors do it at once. Some of the numbers between the layers are far larger than the others, and would take
  all of a scale: so each is divided by about its usual size, and the matrix multiplied by it (SmoothQuant: Xiao et
  al., ICML 2023). What is usual is seen on sentences of ours, through the exact graph.

The quick one is taken where its vectors are those of the exact one (`CLOSE`), which not every processor achieves:
some overflow in eight bits.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from knowledge.forward import INPUT, OUTPUT, TOKENS, options, sealed, start_of, unit_mean
from knowledge.tokens import Tokeniser
from knowledge.weights import BLOCK, Floats, Weights, floats, installed

# The cosine that each sentence's quick vector must have with its exact one.
CLOSE: Final = 0.997
# How much of the difference in size is moved from the numbers to the matrix (SmoothQuant's alpha).
_MOVED: Final = 0.8
_EIGHT_BITS: Final = 127
_OPERATORS: Final = 18
_FORMAT: Final = 10
_MICROSOFT: Final = "com.microsoft"

# Two in each language, and in Latin letters where residents write so; as residents write.
SENTENCES: Final = (
    "buongiorno, ho perso il codice fiscale e domani ho appuntamento in questura alle 9.30",
    "il bambino ha la febbre, dove trovo un pediatra?",
    "how much does it cost to renew the permesso di soggiorno for two years?",
    "my boss has not paid me since march",
    "你好，我的居留下个月到期，需要准备什么材料？",
    "wo xiang zhao yi ge hui shuo zhongwen de yisheng",
    "السلام علیکم، بچوں کو سکول میں داخل کروانا ہے، کون سے کاغذ چاہیے؟",
    "mujhe kaam se nikal diya gaya hai, disoccupazione ke liye kya karna hoga",
    "আমি নতুন বাসায় উঠেছি, residenza বদলাতে কোথায় যেতে হবে?",
    "amar permesso haray gese, ekhon ki korbo?",
    "ਮੈਨੂੰ ਇਟਾਲੀਅਨ ਸਿੱਖਣੀ ਹੈ, ਮੁਫ਼ਤ ਕੋਰਸ ਕਿੱਥੇ ਹਨ?",
    "meri patni nu italy bulauna hai, kinni income chahidi",
    "أريد أن أعرف متى يفتح مكتب الأجانب يوم السبت",
    "bghit ndir la carta d'identità, ch7al mn wa9t khass?",
    "dua të regjistroj fëmijën në çerdhe, deri kur është afati?",
    "kam marre nje gjobe me biciklete, si paguhet?",
    "vreau să schimb permisul de conducere românesc, ce acte îmi trebuie?",
    "chiria e prea mare, exista ajutor de la comune?",
    "bonjour, je suis enceinte et je n'ai pas de papiers, où puis-je aller ?",
    "jai recu une lettre de l'INPS et je comprends rien",
    "quisiera traer a mi madre de Perú, ¿qué requisitos piden?",
    "donde puedo homologar mi titulo de enfermera?",
    "Добрий день, закінчується тимчасовий захист, що робити далі?",
    "шукаю роботу швачкою, куди звернутись",
)


class GraphError(Exception):
    """The graph does not give the vectors it should."""


@dataclass(slots=True)
class _Drawing:
    """A graph while it is drawn. `usual`: the sizes of the numbers before each matrix; None draws the exact graph."""

    weights: Weights
    usual: Mapping[str, Floats] | None
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def constant(self, name: str, values: NDArray[np.generic]) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, *, domain: str = "", **more: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], domain=domain, **more))
        return output

    def normalised(self, before: str, name: str, output: str) -> str:
        width = self.weights.shape.width
        scale = self.constant(f"{name}.w", self.weights.vector(f"{name}.w", width))
        shift = self.constant(f"{name}.b", self.weights.vector(f"{name}.b", width))
        epsilon = self.weights.shape.epsilon
        return self.node("LayerNormalization", [before, scale, shift], output, axis=-1, epsilon=epsilon)

    def multiplied(self, before: str, names: tuple[str, ...], rows: int, width: int, output: str) -> str:
        """Multiply with one matrix, or with several of the same size at once."""
        parts = [self.weights.matrix(f"{name}.w", rows, width) for name in names]
        scales = np.concatenate([scale for scale, _ in parts])
        numbers = np.concatenate([number for _, number in parts])
        shift = np.concatenate([self.weights.vector(f"{name}.b", rows) for name in names])
        last = self.constant(f"{output}.shift", shift)
        if self.usual is None:
            halves = numbers[:, :, 0::2] | (numbers[:, :, 1::2] << 4)
            matrix = [self.constant(f"{output}.halves", halves), self.constant(f"{output}.scales", scales)]
            size = {"K": width, "N": len(numbers), "bits": 4, "block_size": BLOCK, "accuracy_level": 4}
            return self.node("MatMulNBits", [before, *matrix, "", "", last], output, domain=_MICROSOFT, **size)
        smooth, whole, scale = _smoothed(floats(scales, numbers), self.usual[output])
        divided = self.node("Mul", [before, self.constant(f"{output}.smooth", smooth)], f"{output}.divided")
        matrix = [self.constant(f"{output}.matrix", whole.T), self.constant(f"{output}.scales", scale)]
        zero = self.constant(f"{output}.zero", np.zeros(len(scale), dtype=np.int8))
        return self.node("DynamicQuantizeMatMul", [divided, *matrix, zero, last], output, domain=_MICROSOFT)


def _smoothed(matrix: Floats, usual: Floats) -> tuple[Floats, NDArray[np.int8], Floats]:
    """Give what numbers are multiplied by first, the matrix in eight bits, and the scale of each of its rows."""
    least = 1e-5
    sizes = np.maximum(usual, least) ** _MOVED / np.maximum(np.abs(matrix).max(axis=0), least) ** (1 - _MOVED)
    sizes = (sizes / np.exp(np.log(sizes).mean())).astype(np.float32)
    moved = matrix * sizes
    scale = (np.maximum(np.abs(moved).max(axis=1), least) / _EIGHT_BITS).astype(np.float32)
    whole = np.clip(np.round(moved / scale[:, None]), -_EIGHT_BITS, _EIGHT_BITS).astype(np.int8)
    return (1 / sizes).astype(np.float32), whole, scale


def draw(weights: Weights, usual: Mapping[str, Floats] | None) -> tuple[onnx.ModelProto, dict[str, str]]:
    """Draw a graph; with it, for each multiplication, the name of the numbers that go into it."""
    drawing, shape = _Drawing(weights, usual), weights.shape
    into: dict[str, str] = {}

    def multiplied(before: str, names: tuple[str, ...], rows: int, width: int, output: str) -> str:
        into[output] = before
        return drawing.multiplied(before, names, rows, width, output)

    numbers = drawing.normalised(INPUT, "emb.ln", "first")
    for layer in range(shape.layers):
        at = f"l{layer}"
        asked = multiplied(numbers, (f"{at}.q", f"{at}.k", f"{at}.v"), shape.width, shape.width, f"{at}.all")
        each = [f"{at}.queries", f"{at}.keys", f"{at}.values"]
        drawing.nodes.append(helper.make_node("Split", [asked], each, axis=-1, num_outputs=3))
        seen = drawing.node("MultiHeadAttention", each, f"{at}.seen", domain=_MICROSOFT, num_heads=shape.heads)
        seen = multiplied(seen, (f"{at}.ao",), shape.width, shape.width, f"{at}.ao")
        numbers = drawing.node("Add", [numbers, seen], f"{at}.with-seen")
        numbers = drawing.normalised(numbers, f"{at}.aln", f"{at}.half")
        wide = multiplied(numbers, (f"{at}.fi",), shape.inner, shape.width, f"{at}.fi")
        bent = drawing.node("Gelu", [wide], f"{at}.bent", domain=_MICROSOFT)
        narrow = multiplied(bent, (f"{at}.fo",), shape.width, shape.inner, f"{at}.fo")
        numbers = drawing.node("Add", [numbers, narrow], f"{at}.with-inner")
        numbers = drawing.normalised(numbers, f"{at}.oln", f"{at}.whole")
    drawing.node("ReduceMean", [numbers, drawing.constant("tokens", np.array([1], dtype=np.int64))], OUTPUT, keepdims=0)
    given = helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [1, "tokens", shape.width])
    told = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, [1, shape.width])
    words = helper.make_tensor_value_info(TOKENS, TensorProto.FLOAT, [1, "tokens", shape.width])
    graph = helper.make_graph(drawing.nodes, "multilingual-e5-small", [given], [told, words], drawing.constants)
    operators = [helper.make_opsetid("", _OPERATORS), helper.make_opsetid(_MICROSOFT, 1)]
    return helper.make_model(graph, opset_imports=operators, ir_version=_FORMAT), into


def _exactly(exact: onnx.ModelProto, into: Mapping[str, str], starts: list[Floats]) -> tuple[dict[str, Floats], Floats]:
    """Ask the exact graph: the largest numbers before each multiplication, and the vectors."""
    watched = onnx.ModelProto()
    watched.CopyFrom(exact)
    watched.graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in dict.fromkeys(into.values())
    )
    session = onnxruntime.InferenceSession(watched.SerializeToString(), options())
    largest: dict[str, Floats] = {}
    vectors: list[Floats] = []
    for start in starts:
        mean, *between = session.run([OUTPUT, *into.values()], {INPUT: start})
        vectors.append(unit_mean(mean))
        for output, numbers in zip(into, between, strict=True):
            sizes = np.abs(numbers[0]).max(axis=0)
            largest[output] = np.maximum(largest.get(output, sizes), sizes)
    return largest, np.stack(vectors)


def make(weights: Weights) -> bytes:
    """Give the quick graph where it is close to the exact one on this processor, else the exact one."""
    tokeniser = Tokeniser(weights.pieces)
    starts = [start_of(weights, tokeniser, sentence) for sentence in SENTENCES]
    exact, into = draw(weights, None)
    usual, right = _exactly(exact, into, starts)
    quick: bytes = draw(weights, usual)[0].SerializeToString()
    session = onnxruntime.InferenceSession(quick, options())
    made = np.stack([unit_mean(session.run([OUTPUT], {INPUT: start})[0]) for start in starts])
    close = float((made * right).sum(axis=1).min())
    if not np.isfinite(right).all():
        raise GraphError("the exact graph gives no numbers")
    unhurried: bytes = exact.SerializeToString()
    return quick if close >= CLOSE else unhurried


def main() -> None:
    """Write the graph to the file that is named: several processes may do so at once."""
    path = Path(sys.argv[1])
    weights = Weights(installed())
    graph = make(weights)
    weights.close()
    try:
        write(sealed(graph), path)
    except OSError as error:
        # For whoever started this, and writes it into the log.
        print(f"the file cannot be written: {error.strerror}")  # noqa: T201
        sys.exit(os.EX_CANTCREAT)


def write(content: bytes, path: Path) -> None:
    """Write a file, whole or not at all; nothing is left beside it, as on a full disk. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # With the file's name before it, it is seen whose it is where the power fails in between.
    with NamedTemporaryFile(dir=path.parent, prefix=f"{path.name}.", delete=False) as file:
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(path)
        except OSError:
            Path(file.name).unlink(missing_ok=True)
            raise


if __name__ == "__main__":
    main()
