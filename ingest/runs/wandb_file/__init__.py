"""`.wandb` files, the transaction log of a run: a LevelDB log of protobuf records."""
