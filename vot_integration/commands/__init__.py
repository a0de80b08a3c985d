"""The commands of `arvot`: a module each, with its options, its examples and what it prints."""
