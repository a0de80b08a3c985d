"""Networks of SiamRPN++ and SiamRPN+."""
