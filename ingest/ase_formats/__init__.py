"""Any structure format ASE reads."""
