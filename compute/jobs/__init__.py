"""Jobs: what is missing, who computes it, and how far it is."""
