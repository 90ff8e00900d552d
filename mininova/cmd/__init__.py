"""The commands: argv, settings, real parts, run.  The only impure corner.

eventlet's monkey patch is here and nowhere else, before anything that could use what it replaces.
docs/adr/0005 says why eventlet, and the way out of it.
"""

import os
import sys
import warnings

#: The Pythons that eventlet supports, and we with it.  On a later one its monkey patch fails in odd places.
OLDEST, NEWEST = (3, 11), (3, 14)

if not OLDEST <= sys.version_info[:2] <= NEWEST:
    program = os.path.basename(sys.argv[0]) or "mininova"
    found, oldest, newest = (".".join(map(str, version[:2])) for version in (sys.version_info, OLDEST, NEWEST))
    needed = f"use one from {oldest} to {newest}, as eventlet does"
    print(f"{program}: Python {found} will not do: {needed}", file=sys.stderr)
    sys.exit(2)

# A resolver of eventlet's own costs each process a fifth of a second at its start, to look up one broker.
os.environ.setdefault("EVENTLET_NO_GREENDNS", "yes")

# That it is deprecated is known (docs/adr/0005), and no news to whoever runs a command.
warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")

import eventlet  # noqa: E402

eventlet.monkey_patch()
