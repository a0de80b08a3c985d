"""DiMP with the PrDiMP box regressor ("DiMP-super")."""
