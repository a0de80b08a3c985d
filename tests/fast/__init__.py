"""The fast inference paths compute what the plain ones do."""
