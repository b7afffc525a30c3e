"""The process that evaluates structures, in the environment of the model."""
