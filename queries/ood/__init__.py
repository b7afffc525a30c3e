"""What is out of distribution: disagreement of the latents of an ensemble."""
