"""The tests. They run in a process for each core: a library that takes all cores for itself would wait for its own."""

import os

# Before numpy is imported, which reads it then.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
