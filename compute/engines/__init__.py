"""What evaluates structures: MACE, NequIP, Allegro, and any ASE calculator."""
