"""A small metering service: agents measure what their hosts use, a server adds it up.

It has nothing to do with Nova, and uses nothing of mininova but ``mininova.rpc``.  Read it in this order: api (what
can be asked), store and server, agent, ask (the operator's command), and process, which all three share.
"""
