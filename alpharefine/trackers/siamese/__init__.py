"""What Siamese trackers share: context crops, anchors, window, penalties."""
