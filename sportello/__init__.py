"""The assembled program: the only place that knows all the rooms."""

import os

# Before numpy is imported: several threads for a matrix of this size only wait for one another, and for the model.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
