"""The assembled program: the only place that knows all the rooms."""
