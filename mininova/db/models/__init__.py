"""The tables of Nova, as the code knows them; the stand-ins have theirs in packages of their own."""
