"""The command is stopped while it is still being read."""

import gc
import sys
from types import ModuleType

import pytest

from sportello import starting


class Interrupted(ModuleType):
    """A module in whose reading somebody presses Ctrl-C."""

    def __getattr__(self, name: str) -> object:
        raise KeyboardInterrupt


def test_ctrl_c_while_the_program_is_read_shows_nobody_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    # The real one is read long before any test.
    monkeypatch.setitem(sys.modules, "sportello.cli", Interrupted("sportello.cli"))
    with pytest.raises(SystemExit) as ended:
        starting.main()
    assert ended.value.code == 130
    assert gc.isenabled(), "only while modules are read is nothing looked through"
