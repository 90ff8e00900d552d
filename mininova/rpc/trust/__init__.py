"""Which senders a process of the library trusts, and how those that it does not are confined."""
