"""The one exception that is meant for a user's eyes."""


class UsageError(Exception):
    """Bad input. The message is one line that says what is wrong and what to do about it.

    Command-line programs print the message alone and exit with code 2. Characters that a terminal
    would obey, from a broken file for instance, are written as escapes.
    """

    def __init__(self, message: object) -> None:
        text = str(message)
        super().__init__("".join(c if c.isprintable() else ascii(c)[1:-1] for c in text))
