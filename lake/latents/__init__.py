"""Per-atom latents: Zarr arrays behind pointer rows."""
