"""`arvot report` and `arvot compare`: what the results in a workspace say."""
