"""DiMP: a target filter that is initialized and optimized online."""
