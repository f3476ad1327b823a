"""Giving memory back to the operating system after something large was built and dropped."""

import ctypes
import gc


def give_back() -> None:
    """Collect what is dropped and trim the heap, where the C library can (glibc: malloc_trim, man 3 malloc_trim).

    Building a reader takes twice what it keeps, in small pieces that the allocator would hold on to.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
