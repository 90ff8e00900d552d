"""What is behind the URLs of the Identity API, one resource a module.

A handler takes the request, the caller's token (see mininova/standins/keystone/policy.py) and what the URL names.
"""
