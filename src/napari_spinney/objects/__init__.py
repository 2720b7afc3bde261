"""Measurements of labelled objects and of their neighbourhood."""
