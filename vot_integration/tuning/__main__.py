"""`python -m vot_integration.tuning FILE` runs the trial that a file describes."""

import pickle
import sys
from pathlib import Path

from vot_integration.child import end_with_parent
from vot_integration.serving.process import set_compute_defaults


def main() -> int:
    """Run the trial; what goes wrong is the last line of the output.

    Returns:
        Exit code: 0 done, 1 failed.
    """
    end_with_parent()
    # Before anything imports numerical libraries.
    set_compute_defaults()
    from alpharefine.errors import UsageError
    from vot_integration.errors import EvaluationError
    from vot_integration.tuning.jobs import run_trial

    try:
        run_trial(*pickle.loads(Path(sys.argv[1]).read_bytes()))
    except (UsageError, EvaluationError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
