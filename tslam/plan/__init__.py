"""What comes next: rollouts under logged, planned or latent actions, replays, and plans behind a guard."""
