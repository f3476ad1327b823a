"""Entries, understanding what is asked, and the editors' side."""
