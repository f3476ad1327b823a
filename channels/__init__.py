"""Every platform behind one contract."""
