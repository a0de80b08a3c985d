"""Everything that speaks VOT: TraX server, workspaces, evaluation."""
