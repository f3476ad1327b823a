"""Texts with values in them: whatever a value holds, it disturbs nothing around it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.wording import isolate

# Unicode TR 9: LRI, RLI and FSI set apart what follows, PDI ends it; RLO turns round what follows.
LRI, RLI, FSI, PDI, RLO = "\u2066", "\u2067", "\u2068", "\u2069", "\u202e"


def depths(text: str) -> list[int]:
    """Give how deep each character of a text is set apart, as BD9 of TR 9 pairs the marks."""
    found, depth = [], 0
    for character in text:
        if character == PDI:
            depth -= 1
        found.append(depth)
        if character in {LRI, RLI, FSI}:
            depth += 1
    return [*found, depth]


@given(st.text(st.sampled_from([LRI, RLI, FSI, PDI, RLO, "a", "م"])))
def test_nothing_breaks_out_of_what_is_set_apart(text: str) -> None:
    inside, end = depths(isolate(text))[1:-2], depths(isolate(text))[-1]
    assert end == 0, "what follows stands where it stood"
    assert min(inside, default=1) >= 1


@pytest.mark.parametrize("text", ["", "via Roma 1", f"{FSI}12{PDI} e {LRI}34{PDI}", RLO])
def test_what_is_in_order_stays_as_it_is(text: str) -> None:
    assert isolate(text) == f"{FSI}{text}{PDI}"
