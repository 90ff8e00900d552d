"""What the services tell of instances, in Nova's words: events, billing periods, the publisher."""
