"""The api process: the Compute REST API over HTTP.

A request is read in this order: routes (which handler), microversions (in which dialect), validation with schemas/
(is the body right), policy (may they), the resource's own module (servers, flavors, …), operations (what is written
and sent), views/ (what they get back).
"""
