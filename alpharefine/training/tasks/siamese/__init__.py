"""What the training of all Siamese trackers shares."""
