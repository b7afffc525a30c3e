"""The verbs of `atomlake` that belong to the lake itself, one small module per family."""
