"""The one exception that is meant for a user's eyes."""


class UsageError(Exception):
    """Bad input. The message is one line that says what is wrong and what to do about it.

    Command-line programs print the message alone and exit with code 2.
    """
