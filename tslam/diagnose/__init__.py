"""Questions to a fitted model that need no labels: what its latents are, and what they are not."""
