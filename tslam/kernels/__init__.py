"""Numba kernels: numbers in, numbers out."""
