"""The tables and long views DuckDB sees."""
