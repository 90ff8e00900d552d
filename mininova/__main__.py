"""``python -m mininova`` is mininova-cloud."""

from mininova.cmd.cloud import main

main()
