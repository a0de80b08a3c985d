"""What is trained: a folder for each family of networks."""
