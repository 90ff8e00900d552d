"""The real Keystone and Glance in the place of the stand-ins: each module is named by a line of api-paste.ini.

It takes keystonemiddleware, which ``pip install mininova[real]`` brings; [keystone_authtoken] says who we are there.
"""
