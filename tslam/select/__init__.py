"""Which family, which lags, which timing: chosen on held-out evidence, with a trace of what was tried."""
