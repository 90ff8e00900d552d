"""The commands: argv, settings, real parts, run.  The only impure corner.

eventlet's monkey patch is here and nowhere else, before anything that could use what it replaces.
docs/adr/0005 says why eventlet, and the way out of it.
"""

import os
import warnings

# A resolver of eventlet's own costs each process a fifth of a second at its start, to look up one broker.
os.environ.setdefault("EVENTLET_NO_GREENDNS", "yes")

# That it is deprecated is known (docs/adr/0005), and no news to whoever runs a command.
warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")

import eventlet  # noqa: E402

eventlet.monkey_patch()
