"""The api process: the Compute REST API over HTTP.

A request is read in this order: routes (which handler), microversions (in which dialect), validation (is it right),
policy (may the caller do this), the handler, create or operations (what is written and sent), the view (what the
caller gets back).  ``handlers/``, ``schemas/`` and ``views/`` have one module for each noun of the API, alike in name.
"""
