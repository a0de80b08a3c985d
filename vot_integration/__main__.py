"""`python -m vot_integration` is `arvot`."""

import sys

from vot_integration.cli import main

sys.exit(main())
