"""Keeping memory small: one heap for all threads, and back to the operating system with what was built and dropped."""

import ctypes
import gc
from typing import Final

# The name of the setting in mallopt (man 3 mallopt).
_M_ARENA_MAX: Final = -8


def share_one_heap() -> None:
    """Let all threads of this process share one heap, where the C library can; before there is a second thread.

    glibc gives each thread a heap of its own, so that they need not wait for one another. Ours hold one lock all the
    same, and what one thread has built and dropped lies idle in its heap while the next one asks for more.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)


def give_back() -> None:
    """Collect what is dropped and trim the heap, where the C library can (glibc: malloc_trim, man 3 malloc_trim).

    Building a reader takes twice what it keeps, in small pieces that the allocator would hold on to.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
