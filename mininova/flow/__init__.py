"""The flow: every message of a request, kept and shown, one line each.

The RPC layer reports what happens to each message (rpc/watch/flow.py).  ``collector`` gathers the reports, ``store``
keeps them, ``trace`` makes lines of them with the help of ``changes`` and ``payload``, ``screen`` prints the
lines.  Only messages are looked at: nothing here knows a service, or asks one.
"""
