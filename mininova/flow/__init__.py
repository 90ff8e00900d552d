"""The flow: every message of a request, kept and shown, one line each.

The RPC layer reports what happens to each message (rpc/watch/flow.py).  ``collector`` gathers the reports, ``store``
keeps them, ``message`` makes lines of them with the help of ``changes`` and ``payload``, ``screen`` prints the lines.
A request can be seen as a ``diagram``, too, which ``drawing`` and ``export`` draw; an instance's requests are its
``life``; and of all together ``world`` makes the map that ``overview`` shows.  Only messages are looked at: nothing
here knows a service, or asks one.
"""
