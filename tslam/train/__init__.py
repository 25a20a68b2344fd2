"""Training of neural forward models: rows on a device, early stopping, checkpoints, progress."""
