"""Jobs for Slurm: what is asked of it, the script, and its submission."""
