"""Training runs and their curves: from the logs of training programs to one commit."""
