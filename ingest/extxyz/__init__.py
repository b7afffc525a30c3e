"""Extended XYZ: cutting, comment lines, atom lines."""
