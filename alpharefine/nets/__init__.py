"""Networks: plain modules without online state."""
