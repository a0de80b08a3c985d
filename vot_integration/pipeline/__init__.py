"""What the commands do, step by step: workspaces made, trackers evaluated, scores and reports."""
