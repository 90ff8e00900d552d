"""What can be wrong with a stack, said to the person who started it."""


class StackError(Exception):
    """Say in a line what is wrong and what to do about it; it ends the command with exit code 1."""
