"""Which loss trains the better potential for defects: tables, statistics and training curves."""
