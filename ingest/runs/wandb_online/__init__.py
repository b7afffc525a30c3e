"""Runs of a wandb server: whole histories, as the Parquet files the server exports."""
