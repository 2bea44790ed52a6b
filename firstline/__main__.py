"""`python -m firstline`, the same as `firstline`."""

import sys

from firstline.cli import main

sys.exit(main())
