"""Tables as files for other programs: `--json FILE` and `--csv FILE`."""

import argparse
import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vot_integration.files import check_target, write_text

Record = Mapping[str, str | float | None]
"""A line of a table, by column."""


@dataclass(frozen=True)
class TableFiles:
    """Where a table is written to; None for nowhere."""

    json: Path | None
    csv: Path | None

    @classmethod
    def from_options(cls, args: argparse.Namespace) -> "TableFiles":
        """The files that the user named, checked before any work is done.

        Raises:
            UsageError: one of them cannot be written.
        """
        for option, file in (("--json", args.json), ("--csv", args.csv)):
            if file is not None:
                check_target(file, option)
        return cls(args.json, args.csv)

    def write(self, facts: Mapping[str, object], records: Sequence[Record]) -> None:
        """Write the records; the JSON file also says what they were made with.

        Args:
            facts: for the JSON document, which has the records under "rows".
            records: all with the same columns.
        """
        if self.json is not None:
            document = {**facts, "rows": records}
            write_text(self.json, json.dumps(document, indent=2, allow_nan=False) + "\n")
        if self.csv is not None:
            text = io.StringIO()
            writer = csv.DictWriter(text, list(records[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(records)
            write_text(self.csv, text.getvalue())


def add_table_options(parser: argparse.ArgumentParser) -> None:
    """Add `--json` and `--csv`."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table to FILE too")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="the same, as CSV")
