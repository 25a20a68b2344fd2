"""Inverse dynamics, forward models and the latents between them. Numbers only: no data frame comes here."""
