"""The dialogue engine: pure, no input or output but the catalogues it is shipped with."""
