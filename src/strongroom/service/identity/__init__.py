"""Who is who in front of the vault (SPEC.md section 10.3): tokens of the charter's providers or of the vault itself, each
bound to a key that every request proves. The device key under the ask itself is the keyholder's affair as well, and comes on top."""
