# SPDX-License-Identifier: MIT
"""What tests/benchmarks/run is made of: what to measure, how to run it, how to report it."""
