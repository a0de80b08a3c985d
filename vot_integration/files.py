"""Files that are written whole or not at all."""

import os
import tempfile
from pathlib import Path


def write_text(file: Path, text: str) -> None:
    """Write a file in one step: other processes see the old content or the new one."""
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
