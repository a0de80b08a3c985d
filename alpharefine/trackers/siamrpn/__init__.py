"""SiamRPN++, target-aware SiamRPN++ and SiamRPN+."""
