"""Whatever happens, a run goes on or ends with a clear reason."""
