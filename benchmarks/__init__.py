"""Speed and quality of Spinney beside its peers; ``python -m benchmarks --help``."""
