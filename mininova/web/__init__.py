"""The flow in the browser: the process ``mininova-flow serve``, its HTTP API and the page's files.

It reads the store of the flow for what was, and listens to the exchange of the flow for what happens.  It asks no
service and no database: what it shows is derived from messages (mininova/flow), so it can show a recorded flow, too.
docs/adr/0033 says why.
"""
