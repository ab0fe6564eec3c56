"""What the vault's HTTP API says: requests, answers and problems (SPEC.md section 10). No I/O: service and client share it."""
