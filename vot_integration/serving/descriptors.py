"""Standard descriptors that no print, C library or child process can use to break the protocol."""

import faulthandler
import os
import sys


def protect_descriptors(log: int) -> int:
    """Keep descriptors 0 and 1 for TraX alone, and point standard output and error at the log.

    The toolkit speaks TraX over the tracker's standard input and output and reads standard error
    from the same pipe: one unterminated line of a progress bar hangs the handshake or loses an
    answer. Call this before importing anything that may write.

    Args:
        log: open descriptor of the log file; it is closed here, its duplicates stay open.

    Returns:
        The descriptor on which TraX requests arrive. libtrax finds it and its counterpart in the
        environment variables TRAX_IN and TRAX_OUT.
    """
    # Duplicates made by os.dup are not inherited by child processes.
    requests, answers = os.dup(0), os.dup(1)
    os.environ["TRAX_IN"], os.environ["TRAX_OUT"] = str(requests), str(answers)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    faulthandler.enable(sys.stderr, all_threads=True)
    return requests
