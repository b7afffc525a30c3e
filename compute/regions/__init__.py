"""Regions of atoms, near a defect or far from it: schemes as pure functions, and the job."""
