"""`arvot demo`: a local web page to try trackers on a video or a webcam."""
