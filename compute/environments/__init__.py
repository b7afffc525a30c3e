"""Python interpreters of this machine that models run in."""
