"""The tools that Spinney is measured beside, each doing the same work."""
