"""Networks of MDNet's kind."""
