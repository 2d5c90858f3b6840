"""One file for each revision of the schema, named by its number."""
