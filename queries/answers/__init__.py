"""What all questions share: an answer as files in a folder."""
