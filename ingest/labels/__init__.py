"""Labels among the keys and arrays of frames, in the units of the lake."""
