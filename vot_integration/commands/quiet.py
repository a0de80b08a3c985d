"""Keeps libraries from writing to the terminal what the commands say themselves, in a line."""

import os

import cv2


def quiet_opencv() -> None:
    """Let OpenCV, and FFmpeg in it, say nothing about files and cameras that cannot be read."""
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    # -8 is AV_LOG_QUIET; read when the first video is opened.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
