"""Training of SiamRPN++ and SiamRPN+."""
