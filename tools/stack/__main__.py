"""``python -m stack``: what tools/stack.sh becomes once there is a virtual environment."""

import os
import sys

from stack.cli import main

sys.exit(main(sys.argv[1:], os.environ))
