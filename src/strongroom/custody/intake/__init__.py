"""Taking records in from files: read, check, index, seal, store; begin with ``importer``."""
