"""``python -m mininova`` is mininova-cloud."""

from mininova.cmd.cloud import main

if __name__ == "__main__":
    main()
