"""`python -m vot_integration.toolkit ARGUMENTS` is `vot ARGUMENTS` as this package needs it."""

from vot_integration.child import end_with_parent
from vot_integration.toolkit.repairs import run_commands


def main() -> None:
    """Run the toolkit's own command line on this process's arguments."""
    end_with_parent()
    run_commands()


if __name__ == "__main__":
    main()
